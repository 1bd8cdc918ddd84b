(function_item) @function
(function_signature_item) @function
(macro_definition) @function
(struct_item) @class
(enum_item) @class
(union_item) @class
(trait_item) @class
(impl_item) @class
(mod_item body: (_)) @class
(type_item) @class
(attribute_item) @above
(line_comment) @above
(block_comment) @above
(call_expression function: (identifier) @use)
(call_expression function: (scoped_identifier name: (identifier) @use))
(call_expression function: (field_expression field: (field_identifier) @use))
(macro_invocation macro: (identifier) @use)
(type_identifier) @use
(use_declaration argument: (_) @import)
(mod_item name: (identifier) @import !body)

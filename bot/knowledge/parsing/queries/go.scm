(function_declaration) @function
(method_declaration) @function
(type_spec) @class
(type_alias) @class
(comment) @above
(call_expression function: (identifier) @use)
(call_expression function: (selector_expression field: (field_identifier) @use))
(type_identifier) @use
(import_spec path: (interpreted_string_literal (interpreted_string_literal_content) @import))

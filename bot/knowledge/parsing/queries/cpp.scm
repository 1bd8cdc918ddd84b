(function_definition) @function
(preproc_function_def) @function
(class_specifier body: (_)) @class
(struct_specifier body: (_)) @class
(union_specifier body: (_)) @class
(enum_specifier body: (_)) @class
(namespace_definition name: (_)) @class
(concept_definition) @class
(template_parameter_list) @above
(comment) @above
(call_expression function: (identifier) @use)
(call_expression function: (field_expression field: (field_identifier) @use))
(call_expression function: (qualified_identifier name: (identifier) @use))
(template_function name: (identifier) @use)
(type_identifier) @use
(preproc_include path: [(system_lib_string) (string_literal)] @import)

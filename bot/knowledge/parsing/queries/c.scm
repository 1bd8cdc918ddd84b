(function_definition) @function
(preproc_function_def) @function
(struct_specifier body: (_)) @class
(union_specifier body: (_)) @class
(enum_specifier body: (_)) @class
(comment) @above
(call_expression function: (identifier) @use)
(call_expression function: (field_expression field: (field_identifier) @use))
(type_identifier) @use
(preproc_include path: [(system_lib_string) (string_literal)] @import)

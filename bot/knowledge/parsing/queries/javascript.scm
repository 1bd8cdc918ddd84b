(function_declaration) @function
(generator_function_declaration) @function
(method_definition) @function
(variable_declarator name: (identifier) value: [(arrow_function) (function_expression) (generator_function)]) @function
(assignment_expression left: [(member_expression) (identifier)] right: [(arrow_function) (function_expression)]) @function
(field_definition property: (_) value: [(arrow_function) (function_expression)]) @function
(pair key: (property_identifier) value: [(arrow_function) (function_expression)]) @function
(class_declaration) @class
(variable_declarator name: (identifier) value: (class)) @class
(decorator) @above
(comment) @above
(call_expression function: (identifier) @use)
(call_expression function: (member_expression property: (property_identifier) @use))
(new_expression constructor: (identifier) @use)
(class_heritage (identifier) @use)
(import_statement source: (string (string_fragment) @import))
(export_statement source: (string (string_fragment) @import))
(call_expression function: [(identifier) @_require (import)] arguments: (arguments . (string (string_fragment) @import))
  (#match? @_require "^require$"))
(jsx_opening_element name: (identifier) @use)
(jsx_self_closing_element name: (identifier) @use)

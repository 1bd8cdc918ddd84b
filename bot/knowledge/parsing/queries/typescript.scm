(function_declaration) @function
(function_signature) @function
(generator_function_declaration) @function
(method_definition) @function
(method_signature) @function
(abstract_method_signature) @function
(variable_declarator name: (identifier) value: [(arrow_function) (function_expression) (generator_function)]) @function
(assignment_expression left: [(member_expression) (identifier)] right: [(arrow_function) (function_expression)]) @function
(public_field_definition name: (_) value: [(arrow_function) (function_expression)]) @function
(pair key: (property_identifier) value: [(arrow_function) (function_expression)]) @function
(class_declaration) @class
(abstract_class_declaration) @class
(interface_declaration) @class
(enum_declaration) @class
(type_alias_declaration) @class
(internal_module) @class
(module) @class
(decorator) @above
(comment) @above
(call_expression function: (identifier) @use)
(call_expression function: (member_expression property: (property_identifier) @use))
(new_expression constructor: (identifier) @use)
(extends_clause value: (identifier) @use)
(type_annotation (type_identifier) @use)
(type_arguments (type_identifier) @use)
(generic_type name: (type_identifier) @use)
(implements_clause (type_identifier) @use)
(extends_type_clause (type_identifier) @use)
(import_statement source: (string (string_fragment) @import))
(export_statement source: (string (string_fragment) @import))
(call_expression function: [(identifier) @_require (import)] arguments: (arguments . (string (string_fragment) @import))
  (#match? @_require "^require$"))

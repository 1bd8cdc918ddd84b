(method_declaration) @function
(constructor_declaration) @function
(destructor_declaration) @function
(local_function_statement) @function
(operator_declaration) @function
(class_declaration) @class
(interface_declaration) @class
(struct_declaration) @class
(enum_declaration) @class
(record_declaration) @class
(delegate_declaration) @class
(namespace_declaration) @class
(comment) @above
(invocation_expression function: (identifier) @use)
(invocation_expression function: (generic_name (identifier) @use))
(invocation_expression function: (member_access_expression name: (identifier) @use))
(invocation_expression function: (member_access_expression name: (generic_name (identifier) @use)))
(object_creation_expression type: (identifier) @use)
(base_list (identifier) @use)
(base_list (generic_name (identifier) @use))
(parameter type: (identifier) @use)
(variable_declaration type: (identifier) @use)
(type_argument_list (identifier) @use)
(attribute name: (identifier) @use)
(using_directive [(qualified_name) (identifier)] @import)

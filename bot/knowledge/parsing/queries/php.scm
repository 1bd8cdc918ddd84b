(function_definition) @function
(method_declaration) @function
(class_declaration) @class
(interface_declaration) @class
(trait_declaration) @class
(enum_declaration) @class
(comment) @above
(function_call_expression function: (name) @use)
(function_call_expression function: (qualified_name (name) @use))
(member_call_expression name: (name) @use)
(nullsafe_member_call_expression name: (name) @use)
(scoped_call_expression name: (name) @use)
(scoped_call_expression scope: (name) @use)
(object_creation_expression (name) @use)
(base_clause (name) @use)
(class_interface_clause (name) @use)
(named_type (name) @use)
(use_declaration (name) @use)
(namespace_use_clause [(qualified_name) (name)] @import)
(require_once_expression (string (string_content) @import))
(require_expression (string (string_content) @import))
(include_once_expression (string (string_content) @import))
(include_expression (string (string_content) @import))

(function_declaration) @function
(protocol_function_declaration) @function
(init_declaration) @function
(deinit_declaration) @function
(subscript_declaration) @function
(class_declaration) @class
(protocol_declaration) @class
(typealias_declaration) @class
(comment) @above
(multiline_comment) @above
(call_expression . (simple_identifier) @use)
(call_expression . (navigation_expression suffix: (navigation_suffix suffix: (simple_identifier) @use)))
(user_type (type_identifier) @use)
(import_declaration (identifier) @import)

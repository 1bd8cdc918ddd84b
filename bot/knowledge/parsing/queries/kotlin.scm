(function_declaration) @function
(secondary_constructor) @function
(class_declaration) @class
(object_declaration) @class
(companion_object) @class
(type_alias) @class
(line_comment) @above
(block_comment) @above
(call_expression . (identifier) @use)
(call_expression . (navigation_expression (identifier) @use .))
(user_type (identifier) @use)
(import (qualified_identifier) @import)

(method_declaration) @function
(constructor_declaration) @function
(compact_constructor_declaration) @function
(class_declaration) @class
(interface_declaration) @class
(enum_declaration) @class
(record_declaration) @class
(annotation_type_declaration) @class
(line_comment) @above
(block_comment) @above
(method_invocation name: (identifier) @use)
(type_identifier) @use
(marker_annotation name: (identifier) @use)
(annotation name: (identifier) @use)
(import_declaration (scoped_identifier) @import)

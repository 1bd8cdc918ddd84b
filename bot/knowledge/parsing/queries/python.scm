; What each capture means is said in bot/knowledge/parsing/languages.py.
(function_definition) @function
(class_definition) @class
(decorator) @above
(comment) @above
(call function: (identifier) @use)
(call function: (attribute attribute: (identifier) @use))
(class_definition superclasses: (argument_list (identifier) @use))
(class_definition superclasses: (argument_list (attribute attribute: (identifier) @use)))
(decorator (identifier) @use)
(decorator (attribute attribute: (identifier) @use))
(type (identifier) @use)
(import_statement name: (dotted_name) @import)
(import_statement name: (aliased_import name: (dotted_name) @import))
(import_from_statement module_name: (_) @import)

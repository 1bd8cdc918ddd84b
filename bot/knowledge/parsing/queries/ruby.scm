(method) @function
(singleton_method) @function
(class) @class
(module) @class
(comment) @above
(call method: (identifier) @use)
(superclass (constant) @use)
(superclass (scope_resolution name: (constant) @use))
(call receiver: (constant) @use)
(call method: (identifier) @_require arguments: (argument_list . (string (string_content) @import))
  (#match? @_require "^(require|require_relative|load|autoload)$"))

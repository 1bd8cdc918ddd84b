(function_definition) @function
(comment) @above
(command name: (command_name (word) @use))
(command name: (command_name (word) @_source) . argument: (word) @import
  (#match? @_source "^(source|\\.)$"))

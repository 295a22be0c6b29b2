-- Options as a script gives them, each checked by a reader of its own.

local unknown = require "mooncrew.unknown"

--- Reads every option by its reader, which returns a value that is not nil, or nil and what is wrong.
---@param given table<string, any>
---@param readers table<string, fun(value: any): any, string?>
---@return table<string, any>|nil read, string|nil message  which names the option, or for an unknown one the nearest
return function(given, readers)
  local read = {}
  for name, value in pairs(given) do
    local reader = readers[name]
    if not reader then
      return nil, (unknown("option", name, readers))
    end
    local plain, message = reader(value)
    if plain == nil then
      return nil, ("%s: %s"):format(name, message)
    end
    read[name] = plain
  end
  return read
end

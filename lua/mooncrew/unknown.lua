-- What is said of a name that is none of the known ones.

local nearest = require "mooncrew.nearest"

--- "unknown field 'timeuot', did you mean 'timeout'?"
---@param what string  what it is a name of: "field", "option"
---@param name any
---@param known table<string, any>  the keys are the names
---@return string message
---@return string|nil meant
local function unknown(what, name, known)
  local names = {}
  for candidate in pairs(known) do
    names[#names + 1] = candidate
  end
  table.sort(names)
  local meant = type(name) == "string" and nearest(name, names) or nil
  local hint = meant and (", did you mean '%s'?"):format(meant) or ""
  return ("unknown %s '%s'%s"):format(what, tostring(name), hint), meant
end

return unknown

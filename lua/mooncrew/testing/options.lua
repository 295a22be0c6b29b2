-- The options of what mooncrew.testing offers: checked, so that a slip is an error and not a test of something else.

local duration = require "mooncrew.duration"
local patience = require "mooncrew.testing.patience"
local unknown = require "mooncrew.unknown"

local M = {}

-- Kinds of values beside those of type(): value → what is wrong, or nothing.
local KINDS = {
  duration = function(value)
    return select(2, duration.seconds(value))
  end,
  limit = function(value)
    return select(2, patience.read(value))
  end,
  count = function(value)
    if type(value) ~= "number" or value < 0 or value % 1 ~= 0 then
      return "expected a whole number from 0, got " .. tostring(value)
    end
  end,
  strings = function(value)
    if type(value) ~= "table" then
      return "expected table, got " .. type(value)
    end
    for name, content in pairs(value) do
      if type(name) ~= "string" or type(content) ~= "string" then
        return ("names and values must be strings, not %s = %s"):format(tostring(name), type(content))
      end
    end
  end,
  any = function() end,
}

local function wrong_value(value, kind)
  if KINDS[kind] then
    return KINDS[kind](value)
  elseif type(value) ~= kind then
    return ("expected %s, got %s"):format(kind, type(value))
  end
end

--- The options, {} for none; raises when one is unknown or wrong.
---@param options table|nil
---@param known table<string, string>  kinds by name: what type() says, or one of KINDS
---@param caller string  the function of mooncrew.testing, to be named
---@param level integer  whom to blame, as in error()
---@return table
function M.check(options, known, caller, level)
  if options == nil then
    return {}
  elseif type(options) ~= "table" then
    error(("testing.%s: the options must be a table, got %s"):format(caller, type(options)), level + 1)
  end
  for name, value in pairs(options) do
    local wrong = known[name] and wrong_value(value, known[name])
    if not known[name] then
      error(("testing.%s: %s"):format(caller, (unknown("option", tostring(name), known))), level + 1)
    elseif wrong then
      error(("testing.%s: %s: %s"):format(caller, name, wrong), level + 1)
    end
  end
  return options
end

return M

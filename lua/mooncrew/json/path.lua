-- Places inside a value, as messages show them: payload.user.tags[0]["odd key"]. Items count from 0, as in JSON tools.

local native = require "mooncrew.native"

local M = {}

local LONGEST_KEY = 64
local MOST_STEPS = 16 -- of a longer way, the beginning

local function quote(key)
  if #key > LONGEST_KEY then
    key = key:sub(1, LONGEST_KEY) .. "..."
  end
  if not native.utf8_valid(key) then
    key = key:gsub("[\128-\255]", "?")
  end
  return '["' .. key:gsub('[%c"\\]', "?") .. '"]'
end

--- One step: ".name" for a key, "[3]" for an item.
---@param key string|number
---@return string
function M.step(key)
  if type(key) == "number" then
    return ("[%.14g]"):format(key)
  end
  if #key <= LONGEST_KEY and key:find("^[%a_][%w_]*$") then
    return "." .. key
  end
  return quote(key)
end

--- The steps of a list of keys, one after the other.
---@param keys (string|number)[]
---@return string
function M.steps(keys)
  local out = {}
  for i = 1, math.min(#keys, MOST_STEPS) do
    out[i] = M.step(keys[i])
  end
  return table.concat(out) .. (#keys > MOST_STEPS and "..." or "")
end

--- A message that begins with steps, in two: the steps, and what is said of the place.
---@param text string  such as ".user[0]: required"
---@return string steps, string message
function M.split(text)
  local steps, rest = "", text
  while rest:find("^[.%[]") do
    local step = rest:match("^%.%.%.") or rest:match("^%.[%w_]+") or rest:match('^%["[^"]*"%]')
      or rest:match("^%[%d+%]")
    if not step then
      break
    end
    steps, rest = steps .. step, rest:sub(#step + 1)
  end
  return steps, (rest:gsub("^: ", ""))
end

return M

-- Sorts strings by their bytes. Plain Lua compares strings as the locale says, which would make the order of keys, and
-- with it a payload's identity, depend on the environment.

local sort = table.sort

local function less(a, b)
  for i = 1, math.min(#a, #b) do
    local x, y = a:byte(i), b:byte(i)
    if x ~= y then
      return x < y
    end
  end
  return #a < #b
end

local function has_byte_order()
  local collation = not rawget(_G, "jit") and os.setlocale(nil, "collate")
  return not collation or collation == "C" or collation == "POSIX"
end

--- Sorts the list in place and returns it.
---@param keys string[]
---@param count integer
---@return string[]
return function(keys, count)
  if count > 1 then
    sort(keys, not has_byte_order() and less or nil)
  end
  return keys
end

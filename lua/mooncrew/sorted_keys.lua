-- The keys of a table, in an order that is always the same.

--- The keys, sorted as text.
---@param values table
---@return any[]
return function(values)
  local keys = {}
  for key in pairs(values) do
    keys[#keys + 1] = key
  end
  table.sort(keys, function(a, b)
    return tostring(a) < tostring(b)
  end)
  return keys
end

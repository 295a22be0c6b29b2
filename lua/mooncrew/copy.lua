--- A copy of a table, not of the tables in it, and without its metatable.
---@param fields table|nil  nil: an empty one
---@return table
return function(fields)
  local copied = {}
  for name, value in pairs(fields or {}) do
    copied[name] = value
  end
  return copied
end

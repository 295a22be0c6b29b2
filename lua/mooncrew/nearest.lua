-- The known name that a mistyped one was probably meant to be.

-- Edits (insert, delete, replace) that turn one word into the other.
local function distance(a, b)
  local row = {}
  for j = 0, #b do
    row[j] = j
  end
  for i = 1, #a do
    local diagonal = row[0]
    row[0] = i
    for j = 1, #b do
      local replaced = diagonal + (a:byte(i) == b:byte(j) and 0 or 1)
      diagonal = row[j]
      row[j] = math.min(replaced, row[j] + 1, row[j - 1] + 1)
    end
  end
  return row[#b]
end

--- The nearest of these names, or nil when none is near.
---@param name string
---@param names string[]
---@return string|nil
local function nearest(name, names)
  local best, best_distance = nil, math.max(2, math.floor(#name / 3)) + 1
  for _, candidate in ipairs(names) do
    local edits = distance(name, candidate)
    if edits < best_distance then
      best, best_distance = candidate, edits
    end
  end
  return best
end

return nearest

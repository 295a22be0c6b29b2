-- Finds schemas that come back to themselves without having gone into the value: their validation would never end.

local M = {}

local LISTS = { "branches", "all_of", "any_of", "one_of" }
local SINGLE = { "ref", "negated", "condition", "yes", "no" }

--- The schemas that look at the same value as this one, for its sake.
---@param node mooncrew.Schema
---@return mooncrew.Schema[]
local function in_place(node)
  local out = {}
  for _, name in ipairs(LISTS) do
    for _, branch in ipairs(node[name] or {}) do
      out[#out + 1] = branch
    end
  end
  for _, name in ipairs(SINGLE) do
    out[#out + 1] = node[name]
  end
  for _, branch in next, node.dependent_schemas or {} do
    out[#out + 1] = branch
  end
  if node.kind == "ref" then
    out[#out + 1] = node:target()
  end
  return out
end

M.in_place = in_place

--- Whether a schema leads back to one that is being looked at.
---@param node mooncrew.Schema
---@param state table  what is known so far; an empty table to begin with
---@return boolean
function M.is(node, state)
  if state[node] then
    return state[node] == "open"
  end
  state[node] = "open"
  for _, branch in ipairs(in_place(node)) do
    if M.is(branch, state) then
      return true
    end
  end
  state[node] = "done"
  return false
end

return M

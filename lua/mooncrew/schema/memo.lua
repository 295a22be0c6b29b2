-- What validators have made of values, during one validation: a schema that comes to the same table again, by another
-- way through its alternatives, does not go through it again. Only schemas of repeated.lua need that.
--
-- It holds because a validation with a memo changes no table in place (compile.lua sees to it): what a function makes
-- of a table stays true. What it has completed once is complete, and is not completed again either.

---@class mooncrew.schema.Memo
---@field results table<"kept"|false, table<function, table>>  by whose the value is, function, table; false: no fit
local Memo = {}
Memo.__index = Memo

local M = {}

---@return mooncrew.schema.Memo
function M.new()
  local memo = setmetatable({}, Memo)
  memo:clear()
  return memo
end

--- Forgets the values of the last validation.
function Memo:clear()
  self.results = { [false] = {}, kept = {} }
end

local function by(map, key)
  local found = map[key]
  if not found then
    found = {}
    map[key] = found
  end
  return found
end

--- A function of the fast validator (emitter.lua) that remembers.
---@param run fun(v: any, decoded: "kept"|false): any
---@return fun(v: any, decoded: "kept"|false): any
function Memo:remember(run)
  return function(v, decoded)
    if type(v) ~= "table" then
      return run(v, decoded)
    end
    local results = by(self.results[decoded], run)
    local result = results[v]
    if result == nil then
      result = run(v, decoded)
      results[v] = result or false
      if result then
        results[result] = result
      end
    end
    return result or nil
  end
end

--- A function of the listing validator that adds to each list of errors only once what is wrong at a place.
---@param run fun(v: any, decoded: "kept"|false, at: string, errors: table): any
---@return fun(v: any, decoded: "kept"|false, at: string, errors: table): any
function M.list_once(run)
  return function(v, decoded, at, errors)
    errors.listed = errors.listed or {}
    local listed = by(errors.listed, run)
    local before = listed[at]
    if before then
      return before.value == v and before.result or v
    end
    local entry = { value = v }
    listed[at] = entry
    entry.result = run(v, decoded, at, errors)
    return entry.result
  end
end

return M

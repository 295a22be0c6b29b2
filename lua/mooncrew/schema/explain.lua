-- What listing validators call to say what is wrong. Errors are a list of { steps, message }, with a `limit` to its
-- length; `heavy` marks those where the value is another one altogether.

local array = require "mooncrew.json.array"
local path = require "mooncrew.json.path"
local nearest = require "mooncrew.nearest"

local M = {}

--- Adds an error.
function M.report(errors, steps, message, heavy)
  local count = #errors
  if count < errors.limit then
    errors[count + 1] = { steps = steps, message = message, heavy = heavy }
  end
end

local LONGEST_GUESSED = 64 -- a longer name is no slip of the pen, and comparing it would cost

-- The known field that was probably meant.
local function guess(known, key)
  local names = {}
  for name in pairs(known) do
    names[#names + 1] = name
  end
  table.sort(names)
  return #key <= LONGEST_GUESSED and nearest(key, names) or nil
end

local function is_known(known, patterns, key)
  if known[key] then
    return true
  end
  for _, regex in ipairs(patterns or {}) do
    if regex:matches(key) then
      return true
    end
  end
  return false
end

-- The names that are not known, sorted: the same order every time. Nil and the key when one is no string.
local function unknown_names(known, patterns, value)
  local names = {}
  for key in next, value do
    if type(key) ~= "string" then
      return nil, key
    elseif not is_known(known, patterns, key) then
      names[#names + 1] = key
    end
  end
  table.sort(names)
  return names
end

--- Adds which fields an object should not have. False when it is no object at all.
---@param patterns table[]|nil  regular expressions of names that may be there
---@return boolean
function M.report_unknown(errors, at, known, value, patterns)
  local names, odd_key = unknown_names(known, patterns, value)
  if not names then
    M.report(errors, at, array.is(value) and "expected object, got array"
      or ("a %s is a key; keys are strings"):format(type(odd_key)), true)
    return false
  end
  for _, name in ipairs(names) do
    local meant = #errors < errors.limit and guess(known, name)
    M.report(errors, at .. path.step(name), meant and ('unknown field; did you mean "%s"?'):format(meant)
      or "unknown field")
  end
  return true
end

--- Why a name does not fit, by the listing validator of its schema.
function M.explain_name(list, key)
  local errors = { limit = 1 }
  list(key, false, "", errors)
  return errors[1] and errors[1].message or "it is not allowed"
end

-- ---- alternatives ----

local MOST_SHOWN = 4
local WEIGHT, HEAVY, ANOTHER_KIND = 1, 10, 1000

-- How far from fitting: another kind of value altogether counts most, then a wrong constant, such as a type's name.
local function distance(errors, at)
  local sum = 0
  for _, one in ipairs(errors) do
    sum = sum + (not one.heavy and WEIGHT or one.steps == at and ANOTHER_KIND or HEAVY)
  end
  return sum
end

local function list_each(at, functions, numbers, value, decoded, limit)
  local lists, best = {}, 1
  for i, number in ipairs(numbers) do
    local errors = { limit = limit }
    functions[number](value, decoded, at, errors)
    errors.distance = distance(errors, at)
    lists[i] = errors
    if errors.distance < lists[best].distance then
      best = i
    end
  end
  return lists, best
end

-- What a list says of a place where the value is another one altogether.
local function heavy_at(list, steps)
  for _, one in ipairs(list) do
    if one.heavy and one.steps == steps then
      return one.message
    end
  end
end

-- The place where every alternative wants another value, such as the name of a type, and what each wants.
local function common_ground(lists, best)
  for _, one in ipairs(lists[best]) do
    local wanted, said = {}, {}
    for i, list in ipairs(lists) do
      local message = one.heavy and heavy_at(list, one.steps)
      if not message then
        break
      elseif not said[message] then
        said[message] = true
        wanted[#wanted + 1] = message
      end
      if i == #lists then
        return one.steps, wanted
      end
    end
  end
end

-- There none is nearer than another.
local function report_common(errors, steps, wanted, count)
  local shown = table.concat(wanted, "; or ", 1, math.min(#wanted, MOST_SHOWN))
  M.report(errors, steps, ("fits none of the %d alternatives: %s%s"):format(count, shown,
    #wanted > MOST_SHOWN and " …" or ""), true)
end

--- Adds why a value fits no alternative: what is wrong with it as the one that comes nearest.
---@param labels (string|false)[]  what the alternatives are called
function M.report_no_fit(errors, at, functions, numbers, labels, value, decoded)
  local lists, best = list_each(at, functions, numbers, value, decoded, errors.limit)
  local steps, wanted = common_ground(lists, best)
  if steps and #lists > 1 then
    return report_common(errors, steps, wanted, #lists)
  end
  local called = labels[best] and (", %s"):format(labels[best]) or ""
  for _, one in ipairs(lists[best]) do
    local suffix = #lists > 1 and (" (alternative %d of %d%s, the nearest)"):format(best, #lists, called) or ""
    M.report(errors, one.steps, one.message .. suffix, one.heavy)
  end
end

return M

-- What listing validators call to say what is wrong. Errors are a list of { steps, message }, with a `limit` to its
-- length and a `budget` of alternatives that may be looked into; `heavy` marks errors where the value is another one
-- altogether.

local array = require "mooncrew.json.array"
local path = require "mooncrew.json.path"
local nearest = require "mooncrew.nearest"
local values = require "mooncrew.schema.values"

local M = {}

local MOST_ALTERNATIVES = 300

--- A list with nothing in it.
---@param limit integer
---@return table
function M.list(limit)
  return { limit = limit, budget = { left = MOST_ALTERNATIVES } }
end

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
  local errors = M.list(1)
  list(key, false, "", errors)
  return errors[1] and errors[1].message or "it is not allowed"
end

-- ---- alternatives ----

local MOST_SHOWN = 4
local EACH_LIMIT = 100 -- errors of one alternative
local WEIGHT, HEAVY, ANOTHER_KIND = 1, 10, 1000

-- How far from fitting: another kind of value altogether counts most, then a wrong constant, such as a type's name.
local function distance(errors, at)
  local sum = 0
  for _, one in ipairs(errors) do
    sum = sum + (not one.heavy and WEIGHT or one.steps == at and ANOTHER_KIND or HEAVY)
  end
  return sum
end

-- The errors of a value as each of the alternatives at `places`, and which of them has come nearest.
local function list_each(errors, at, functions, choice, places, value, decoded)
  local lists, best = {}, 1
  errors.budget.left = errors.budget.left - #places
  for i, place in ipairs(places) do
    local own = { limit = EACH_LIMIT, budget = errors.budget }
    functions[choice.numbers[place]](value, decoded, at, own)
    own.distance = distance(own, at)
    lists[i] = own
    if own.distance < lists[best].distance then
      best = i
    end
  end
  return lists, best
end

-- ---- alternatives that are told apart by a constant ----

local function is_contradicted(tell, value)
  local field = value[tell.name]
  return field ~= nil and not values.is_allowed(tell.allowed, field)
end

local function contradiction(tells, value)
  for _, tell in ipairs(tells) do
    if is_contradicted(tell, value) then
      return tell
    end
  end
end

-- The alternatives that the value may have been meant to be; nil when its constants are those of none, and then what
-- each would have wanted.
local function candidates(choice, value)
  local places, wanted = {}, {}
  for i, tells in ipairs(choice.tells) do
    wanted[i] = type(value) == "table" and contradiction(tells, value) or nil
    if not wanted[i] then
      places[#places + 1] = i
    end
  end
  return #places > 0 and places or nil, wanted
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

-- Where the value has the constants of no alternative. False when they lie in different fields.
local function report_constants(errors, at, wanted)
  local said, shown = {}, {}
  for _, tell in ipairs(wanted) do
    if tell.name ~= wanted[1].name then
      return false
    elseif not said[tell.allowed.listed] then
      said[tell.allowed.listed] = true
      shown[#shown + 1] = "expected " .. tell.allowed.listed
    end
  end
  report_common(errors, at .. path.step(wanted[1].name), shown, #wanted)
  return true
end

local function report_nearest(errors, list, choice, place)
  local label = choice.labels[place] and (", %s"):format(choice.labels[place]) or ""
  local suffix = #choice.numbers > 1
    and (" (alternative %d of %d%s, the nearest)"):format(place, #choice.numbers, label) or ""
  for _, one in ipairs(list) do
    M.report(errors, one.steps, one.message .. suffix, one.heavy)
  end
end

local function every_place(choice)
  local places = {}
  for i in ipairs(choice.numbers) do
    places[i] = i
  end
  return places
end

--- Adds why a value fits no alternative: what is wrong with it as the one that comes nearest.
---@param choice { numbers: integer[], labels: (string|false)[], tells: table[] }  see kind/choices.lua
function M.report_no_fit(errors, at, functions, choice, value, decoded)
  if #errors >= errors.limit then
    return
  elseif errors.budget.left <= 0 then -- each may hold alternatives in turn: that could go on for very long
    return M.report(errors, at, ("fits none of the %d alternatives"):format(#choice.numbers), true)
  end
  local places, wanted = candidates(choice, value)
  if not places and report_constants(errors, at, wanted) then
    return
  end
  places = places or every_place(choice)
  local lists, best = list_each(errors, at, functions, choice, places, value, decoded)
  local steps, common = common_ground(lists, best)
  if steps and #lists > 1 then
    return report_common(errors, steps, common, #choice.numbers)
  end
  report_nearest(errors, lists[best], choice, places[best])
end

return M

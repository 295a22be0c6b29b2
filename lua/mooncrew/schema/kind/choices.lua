-- Schemas made of others: any of them, one, all, none; one or another by a condition.
--
-- All look at the same value, so each gets it "kept" (emitter.lua) until one is chosen.

local M = {}

local function numbers_of(e, branches)
  local numbers = {}
  for i, branch in ipairs(branches) do
    numbers[i] = e:of(branch)
  end
  return numbers
end

local function labels_of(branches)
  local labels = {}
  for i, branch in ipairs(branches) do
    labels[i] = branch.about or false
  end
  return labels
end

-- The fields by which an alternative is told from others: those that must have certain values.
local function tells_of(branch)
  while branch.kind == "ref" or branch.ref do
    branch = branch.kind == "ref" and branch:target() or branch.ref
  end
  local tells = {}
  for name, field in pairs(branch.fields or {}) do
    local allowed = field.allowed or field.allowed_once
    if allowed and not field.is_optional then
      tells[#tells + 1] = { name = name, allowed = allowed }
    end
  end
  table.sort(tells, function(a, b) return a.name < b.name end)
  return tells
end

-- What explain.lua needs to know of alternatives.
local function describe(branches, numbers)
  local tells = {}
  for i, branch in ipairs(branches) do
    tells[i] = tells_of(branch)
  end
  return { numbers = numbers, labels = labels_of(branches), tells = tells }
end

-- Says which alternative came nearest.
local function emit_no_fit(e, branches, numbers, x, where)
  if e.listing then
    e:line('report_no_fit(errors, at .. %s, F, %s, %s, decoded and "kept")', where,
      e:constant(describe(branches, numbers)), x)
  else
    e:line("do return nil end")
  end
end

function M.emit_any(e, branches, x, where)
  local numbers = numbers_of(e, branches)
  e:line('local fit = first_fit(T, %s, %s, decoded and "kept")', e:constant(numbers), x)
  e:line("if fit == nil then")
  emit_no_fit(e, branches, numbers, x, where)
  e:line("else %s = fit end", x)
end

function M.emit_one(e, branches, x, where)
  local numbers = numbers_of(e, branches)
  e:line('local fit, fits = only_fit(T, %s, %s, decoded and "kept")', e:constant(numbers), x)
  e:line("if fit == nil then")
  emit_no_fit(e, branches, numbers, x, where)
  e:line("elseif fits then")
  e:fail(where, '"fits the alternatives " .. fits .. ", and must fit only one"')
  e:line("else %s = fit end", x)
end

function M.emit_all(e, branches, x, where)
  for _, branch in ipairs(branches) do
    e:line("do")
    e:call(e:of(branch), x, where)
    e:line("end")
  end
end

function M.emit_not(e, branch, x, where)
  e:line('if T[%d](%s, decoded and "kept") ~= nil then', e:of(branch), x)
  e:fail(where, "%q", branch.about and ("must not be: %s"):format(branch.about) or "fits what it must not fit")
  e:line("end")
end

--- yes and no may be nil.
function M.emit_when(e, condition, yes, no, x, where)
  e:line('if T[%d](%s, decoded and "kept") ~= nil then', e:of(condition), x)
  if yes then
    e:call(e:of(yes), x, where)
  end
  if no then
    e:line("else")
    e:call(e:of(no), x, where)
  end
  e:line("end")
end

local function choice(emit)
  return {
    options = {},
    takes_null = true,
    emit = function(e, node, x, where)
      e:line("do")
      emit(e, node.branches, x, where)
      e:line("end")
    end,
  }
end

M.kinds = {
  any_of = choice(M.emit_any),
  one_of = choice(M.emit_one),
  all_of = choice(M.emit_all),
  ["not"] = choice(function(e, branches, x, where)
    M.emit_not(e, branches[1], x, where)
  end),
  when = {
    options = {},
    takes_null = true,
    emit = function(e, node, x, where)
      M.emit_when(e, node.condition, node.yes, node.no, x, where)
    end,
  },
}

return M

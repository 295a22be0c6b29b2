-- Writes the Lua source of a validator. The same calls write it twice, in two styles:
--
--   fast      run(v, decoded) → the value, completed; nil when it does not fit. It says nothing of why.
--   listing   run(v, decoded, at, errors) → the value; reports all that is wrong to `errors`, each with its place: `at`
--             are the steps from the root to v.
--
-- So what runs for each payload is short, and what explains is never out of step with it. `decoded` says whose v is:
-- true: fresh from the JSON decoder and nobody else's, so it is completed in place; "kept": from the decoder, but more
-- than one schema looks at it, so it is copied; false: the caller's own, copied, and an empty table may be an array.
--
-- Each container becomes a function of its own (`F[n]`), so that no function grows beyond Lua's limits, and schemas can
-- refer to each other in circles. `T[n]` is the fast one of the same number, in both styles.

local kinds -- required when first needed: kinds write themselves with an emitter

---@class mooncrew.schema.Emitter
---@field listing boolean
---@field lines string[]        the function that is being written
---@field functions string[]    the sources of finished functions, by number
---@field count integer         the highest number of a function
---@field begun table<integer, true>
---@field numbers table         by schema: the numbers of its functions, by part
---@field looked_at table       by schema: what endless.lua knows of it
---@field constants any[]       values that the source refers to as K[n]
local Emitter = {}
Emitter.__index = Emitter

--- An emitter with nothing written. With `fast`, the emitter that wrote the fast validator, it writes the listing one,
--- whose functions have the same numbers.
---@param fast? mooncrew.schema.Emitter
---@return mooncrew.schema.Emitter
function Emitter.new(fast)
  kinds = kinds or require "mooncrew.schema.kinds"
  return setmetatable({ listing = fast ~= nil, lines = {}, functions = {}, count = fast and fast.count or 0,
    numbers = fast and fast.numbers or {}, begun = {}, constants = {}, looked_at = {} }, Emitter)
end

--- Adds a line. With arguments it is a format.
function Emitter:line(line, ...)
  self.lines[#self.lines + 1] = select("#", ...) > 0 and line:format(...) or line
end

local HERE = '""'

-- `heavy` is source too.
local function report(self, heavy, where, message, ...)
  self:line("report(errors, at%s, %s, %s)", where == HERE and "" or " .. " .. where,
    select("#", ...) > 0 and message:format(...) or message, heavy)
end

--- The value does not fit. Both are Lua expressions, the second may be a format. When listing, what follows runs too.
function Emitter:fail(where, message, ...)
  if self.listing then
    report(self, "false", where, message, ...)
  else
    self:line("do return nil end")
  end
end

--- The same, where it is another kind of value altogether: it weighs more when the nearest alternative is looked for.
function Emitter:mismatch(where, message, ...)
  if self.listing then
    report(self, "true", where, message, ...)
  else
    self:line("do return nil end")
  end
end

--- A mismatch after which nothing more of the function makes sense.
function Emitter:leave(where, message, ...)
  self:mismatch(where, message, ...)
  if self.listing then
    self:line("do return v end")
  end
end

--- The name of a value that the source cannot spell out.
function Emitter:constant(value)
  self.constants[#self.constants + 1] = value
  return ("K[%d]"):format(#self.constants)
end

--- The number of the function that checks a part of a schema; body writes it when it is not there yet. Its value is v,
--- which the body must return.
---@param node table
---@param part string
---@param body fun()
---@return integer
function Emitter:part(node, part, body)
  local numbers = self.numbers[node] or {}
  self.numbers[node] = numbers
  if not numbers[part] then
    self.count = self.count + 1
    numbers[part] = self.count
  end
  local number = numbers[part]
  if not self.begun[number] then
    self.begun[number] = true
    local outer = self.lines
    self.lines = {}
    body()
    self.functions[number] = table.concat(self.lines, "\n")
    self.lines = outer
  end
  return number
end

--- The number of the function that checks a value that is there against a schema.
function Emitter:of(node)
  return self:part(node, "whole", function()
    if kinds[node.kind].body and not node.is_nullable then
      kinds[node.kind].body(self, node)
    else
      self:value(node, "v", HERE)
      self:line("return v")
    end
  end)
end

-- The same where it is known not to be null, of a kind that has a body.
local function of_not_null(self, node)
  return not node.is_nullable and self:of(node) or self:part(node, "not null", function()
    kinds[node.kind].body(self, node)
  end)
end

--- Hands x to a function, whose result it becomes.
function Emitter:call(number, x, where)
  if self.listing then
    self:line("%s = F[%d](%s, decoded, at .. %s, errors)", x, number, x, where)
    return
  end
  self:line("local result = F[%d](%s, decoded)", number, x)
  self:line("if result == nil then return nil end")
  self:line("%s = result", x)
end

--- Checks x, which is there, against a schema.
function Emitter:present(node, x, where)
  local kind = kinds[node.kind]
  if kind.body and not (kind.is_flat and kind.is_flat(node)) then
    self:line("do")
    self:call(of_not_null(self, node), x, where)
    self:line("end")
  else
    kind.emit(self, node, x, where)
  end
end

-- What a kind is called in messages, where it is not by its own name.
local CALLED = { map = "object", tuple = "array" }

-- What becomes of a value that is absent, or null.
local function emit_absent(e, node, x, where)
  if node.has_default then
    e:line("%s = copy(%s)", x, e:constant(node:settled_default()))
  elseif node.is_optional then
    e:line("%s = nil", x)
  elseif e.listing then
    report(e, x .. " ~= nil", where, '%s == nil and "required" or "expected %s, got null"', x,
      CALLED[node.kind] or node.kind)
  else
    e:line("do return nil end")
  end
end

--- Checks the local variable x, including whether it is there at all.
function Emitter:value(node, x, where)
  local null_is_absent = not node.is_nullable and (not kinds[node.kind].takes_null or node.is_optional)
  self:line(null_is_absent and "if %s == nil or %s == null then" or "if %s == nil then", x, x)
  emit_absent(self, node, x, where)
  self:line(node.is_nullable and "elseif %s ~= null then" or "else", x)
  self:present(node, x, where)
  self:line("end")
end

return Emitter

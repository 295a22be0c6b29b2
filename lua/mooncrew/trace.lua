-- Where an error of a handler was raised. What is raised again elsewhere (by a gather, or in the wait of a task whose
-- callback failed) keeps the stack of its first place.

local strand = require "mooncrew.strand"

local trace = {}

local traceback = debug.traceback

-- The stack from the caller's caller down to the handler, without the frames that called it.
local function stack()
  local text = traceback("", 4):sub(2)
  local called_from = text:find("\n\t%[C%]: in function 'xpcall'\n\t[^\n]*mooncrew/%l+%.lua:")
  return called_from and text:sub(1, called_from - 1) or text
end

--- The stack of an error, for the handler of xpcall: where the value was raised first.
---@param value any  what was raised
---@return string
function trace.of(value)
  local fiber = strand.acting()
  local raised = fiber and fiber.raised
  if raised and raised.trace and rawequal(raised.value, value) then
    return raised.trace
  end
  return (stack()) -- no tail call: stack() counts frames
end

--- Notes the stack of an error that is going to be raised again.
---@param value any
---@param text string|nil  nil: not known
function trace.keep(value, text)
  local fiber = strand.acting()
  if fiber then
    fiber.raised = { value = value, trace = text }
  end
end

return trace

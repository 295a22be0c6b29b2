-- Asking before something is destroyed.

local uv = require "luv"

local M = {}

--- Adds --yes to a command.
---@param parser table
function M.describe(parser)
  parser:flag("-y --yes"):description("do not ask")
end

--- Whether people sit at both ends: at the keyboard, and where the question is written.
function M.has_terminal()
  return uv.guess_handle(0) == "tty" and uv.guess_handle(2) == "tty"
end

---@param text string
function M.write(text)
  io.stderr:write(text)
  io.stderr:flush()
end

--- The line that was typed; nil at the end of input.
function M.read()
  return io.stdin:read("*l")
end

--- Asks, unless --yes was given. Without a terminal nobody can answer, and a program that wants JSON is no one to ask:
--- then nothing is done.
---@param given table
---@param question string "delete task 'x'"
---@return true|nil
---@return string? message
---@return string? code
function M.ask(given, question)
  if given.yes then
    return true
  end
  local obstacle = given.json and "--json does not ask" or not M.has_terminal() and "there is no terminal to ask at"
  if obstacle then
    return nil, ('"%s?" needs an answer, and %s: add --yes'):format(question, obstacle), "NEEDS_YES"
  end
  M.write(question .. "? [y/N] ")
  local answer = (M.read() or ""):lower()
  if answer == "y" or answer == "yes" then
    return true
  end
  return nil, "nothing was done", "DECLINED"
end

return M

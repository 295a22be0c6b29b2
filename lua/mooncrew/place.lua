-- Where in a script something is declared: "file:line".
--
-- A script that ends in `return crew.task(…)` makes a tail call, after which the script is no longer on the stack. So
-- the line that a script has come to is noted while the script runs.

local sources = require "mooncrew.sources"

local M = {}

---@class mooncrew.place.Script
---@field path string
---@field source string  as debug.getinfo names it
---@field line integer|nil
local running ---@type mooncrew.place.Script|nil  the innermost of those that are being run

--- Is told of each script that begins to run, of the lines that it comes to, and of the end of it: then with what had
--- required it, or nothing. For whoever wants to say which one does not come to its end.
---@type fun(path: string|nil, line: integer|nil)
M.follow = function() end

local function note_line(_, line)
  if running and debug.getinfo(2, "S").source == running.source then
    running.line = line
    M.follow(running.path, line)
  end
end

local function enter(script)
  running = script
  if script then
    M.follow(script.path, script.line)
  else
    M.follow(nil)
  end
end

--- Tells `follow` that something else of a script's runs, which was declared there.
---@param source string  "file:line"
function M.follow_source(source)
  local path, line = source:match("^(.*):(%d+)$")
  M.follow(path or source, tonumber(line))
end

--- Forgets what is being run: it was broken off.
function M.forget()
  enter(nil)
end

-- A tail call counts to the line where its statement ends; people look where it begins, which is at the `return` that
-- stands unindented before it.
local function begin_of_statement(path, line)
  local at, begin = 0, line
  for text in ((sources.read(path) or "") .. "\n"):gmatch "([^\n]*)\n" do
    at = at + 1
    if at > line then
      break
    elseif text:find("^return%f[^%w_]") then
      begin = at
    end
  end
  return begin
end

local function place_of_script(script)
  return script.line and ("%s:%d"):format(script.path, begin_of_statement(script.path, script.line)) or script.path
end

--- Runs a script's chunk as xpcall would. `on_error` gets what was raised, and the script's place.
---@param path string
---@param chunk function
---@param on_error fun(raised: any, place: string): any
---@return boolean ok
---@return any result  what the chunk returned, or what on_error did
function M.run(path, chunk, on_error, ...)
  local outer, script = running, { path = path, source = "@" .. path }
  local hooked = debug.gethook() == nil -- another's hook (a debugger's …) stays: then lines are missing
  enter(script)
  if hooked then
    debug.sethook(note_line, "l")
  end
  local ok, result = xpcall(chunk, function(raised)
    return on_error(raised, place_of_script(script))
  end, ...)
  if hooked then
    debug.sethook()
  end
  enter(outer)
  return ok, result
end

-- The nearest Lua function from this level on; what else is on the stack has no lines.
local function nearest_lua(level)
  local info = debug.getinfo(level + 1, "Sl")
  while info and info.currentline < 0 do
    level = level + 1
    info = debug.getinfo(level + 1, "Sl")
  end
  return info
end

--- The place of a caller; a level is what it is to error().
---@param level integer
---@return string
function M.of_caller(level)
  local info = debug.getinfo(level + 1, "Sl")
  if running and not (info and info.currentline > 0) then
    return place_of_script(running)
  end
  info = nearest_lua(level + 1)
  if not info then
    return "?"
  end
  local file = info.source:match("^@(.*)") or info.short_src -- the short one may be cut
  return ("%s:%d"):format(file, info.currentline)
end

return M

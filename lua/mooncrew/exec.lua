-- Programs: crew.exec(argv, options) runs one and waits for its end, while other tasks run.
--
--   local result = assert(crew.exec({ "convert", from, "-resize", "200x200", to }, { timeout = "1m" }))
--   if result.code ~= 0 then error(result.stderr) end
--
-- There is no shell: each element of the list is one argument, whatever it holds. The program, and all that it has
-- started, ends before crew.exec returns: what it leaves running is killed when it ends, and everything is killed when
-- the task is cancelled, runs out of time, or its worker dies.

local async = require "mooncrew.async"
local duration = require "mooncrew.duration"
local host = require "mooncrew.host"

local M = {}

local OUTPUT_LIMIT = 4 * 1024 * 1024

---@class mooncrew.exec.Request
---@field argv string[]
---@field stdin string|nil
---@field env table<string, string|false>|nil
---@field cwd string|nil
---@field timeout number|nil  seconds
---@field output_limit integer  bytes, of each output

---@class mooncrew.exec.Result
---@field code integer|nil  the exit status; nil when a signal ended it
---@field signal integer|nil  the signal that ended it
---@field stdout string
---@field stderr string

-- ---- arguments ----

local function check_text(what, value, level)
  if type(value) == "number" then
    value = tostring(value)
  elseif type(value) ~= "string" then
    error(("crew.exec: %s: expected string, got %s"):format(what, type(value)), level + 1)
  end
  if value:find("\0", 1, true) then
    error(("crew.exec: %s: a zero byte cannot be handed to a program"):format(what), level + 1)
  end
  return value
end

local function check_argv(argv, level)
  if type(argv) ~= "table" then
    error(("crew.exec: expected a list of program and arguments, got %s (there is no shell: "
      .. 'crew.exec { "ls", "-l" })'):format(type(argv)), level + 1)
  elseif #argv == 0 or argv[1] == "" then
    error("crew.exec: the list has no program", level + 1)
  end
  for key in pairs(argv) do
    if type(key) ~= "number" then
      error(("crew.exec: '%s' stands among the arguments; options are a table of their own"):format(tostring(key)),
        level + 1)
    elseif key > #argv then -- what follows a nil would be left out
      error(("crew.exec: argument %d: expected string, got nil"):format(#argv + 1), level + 1)
    end
  end
  local copy = {}
  for i = 1, #argv do
    copy[i] = check_text("argument " .. i, argv[i], level + 1)
  end
  return copy
end

local function check_env(env, level)
  if type(env) ~= "table" then
    error(("crew.exec: env: expected table, got %s"):format(type(env)), level + 1)
  end
  local copy = {}
  for name, value in pairs(env) do
    if type(name) ~= "string" or name == "" or name:find("[=%z]") then
      error(("crew.exec: env: %s is no name of a variable"):format(tostring(name)), level + 1)
    end
    copy[name] = value ~= false and check_text("env: " .. name, value, level + 1)
  end
  return copy
end

local function check_timeout(timeout, level)
  local seconds, message = duration.seconds(timeout)
  if not seconds then
    error("crew.exec: timeout: " .. message, level + 1)
  end
  return seconds > 0 and seconds or nil
end

local function check_limit(limit, level)
  if type(limit) ~= "number" or not (limit >= 0 and limit < 2 ^ 31) then
    error("crew.exec: output_limit: expected a number of bytes under 2 GiB", level + 1)
  end
  return math.floor(limit)
end

local OPTIONS = {
  stdin = function(value, level)
    if type(value) ~= "string" then
      error(("crew.exec: stdin: expected string, got %s"):format(type(value)), level + 1)
    end
    return value
  end,
  cwd = function(value, level)
    return (check_text("cwd", value, level + 1)) -- no tail call: levels count frames
  end,
  env = check_env,
  timeout = check_timeout,
  output_limit = check_limit,
}

local function request_of(argv, options, level)
  local request = { argv = check_argv(argv, level + 1), output_limit = OUTPUT_LIMIT }
  if options ~= nil and type(options) ~= "table" then
    error(("crew.exec: options: expected table, got %s"):format(type(options)), level + 1)
  end
  for name, value in pairs(options or {}) do
    local check = OPTIONS[name]
    if not check then
      error(("crew.exec: unknown option '%s'"):format(tostring(name)), level + 1)
    end
    request[name] = check(value, level + 1)
  end
  return request
end

-- ---- the end ----

local function no_program(request, text, code)
  local program = request.argv[1]
  if code == "ENOENT" and not program:find("/", 1, true) then
    return nil, ("there is no program '%s' in PATH: install it, or give its path"):format(program), "NOT_FOUND"
  elseif code == "ENOENT" then
    return nil, ("there is no program %s, or not the interpreter that it names"):format(program), "NOT_FOUND"
  elseif code == "EACCES" then
    return nil, ("%s cannot be run (%s): make it executable"):format(program, text), "NOT_EXECUTABLE"
  end
  return nil, ("%s cannot be run: %s"):format(program, text), "IO_ERROR"
end

-- What the native half tells, by how it ended, as crew.exec returns it.
local ENDS = {
  EXITED = function(_, code, stdout, stderr)
    return { code = code, stdout = stdout, stderr = stderr }
  end,
  SIGNALED = function(_, signal, stdout, stderr)
    return { signal = signal, stdout = stdout, stderr = stderr }
  end,
  NO_PROGRAM = no_program,
  NO_FOLDER = function(request, text)
    return nil, ("%s cannot run in the folder %s: %s"):format(request.argv[1], request.cwd, text), "NO_FOLDER"
  end,
  OUTPUT_LIMIT = function(request)
    return nil, ("%s wrote more than %d bytes and was killed: give a larger output_limit, or let it write to a file")
      :format(request.argv[1], request.output_limit), "OUTPUT_LIMIT"
  end,
  KILLED = function(request)
    return nil, ("%s was killed together with its guard"):format(request.argv[1]), "KILLED"
  end,
}

local function native_half()
  local ok, native = pcall(require, "mooncrew.native_exec")
  if not ok then
    error("crew.exec runs programs in a worker only: elsewhere put a function of your own into "
      .. 'require("mooncrew.exec").backend', 0)
  end
  return native
end

local function run(request)
  local native = native_half()
  local timed_out, timer = false, nil
  local function stop_timer()
    if timer then
      host.timer_stop(timer)
    end
  end
  local function started(resume)
    local number, message
    number, message = native.start(request.argv, request, function()
      stop_timer()
      resume(native.take(number))
    end)
    if not number then
      resume("FAILED", message)
      return nil
    end
    timer = request.timeout and host.timer_start(request.timeout, function()
      timed_out = true
      native.stop(number)
    end)
    return function()
      stop_timer()
      native.abandon(number)
    end
  end
  local ended, value, stdout, stderr = async.await(started)
  if ended == "FAILED" then
    return nil, ("%s cannot be started: %s"):format(request.argv[1], value), "IO_ERROR"
  elseif ended == "KILLED" and timed_out then
    return nil, ("%s did not end within %g s and was killed"):format(request.argv[1], request.timeout), "TIMEOUT"
  end
  return ENDS[ended](request, value, stdout, stderr)
end

--- What runs a checked request: (request) → result | nil, message, code. It may wait.
---@type fun(request: mooncrew.exec.Request): mooncrew.exec.Result|nil, string|nil, string|nil
M.backend = run

--- Runs a program and waits for its end.
---
--- Options: `stdin` (a text; nothing unless given), `env` (variables over the worker's own; false takes one away),
--- `cwd`, `timeout` (seconds or "1m"), `output_limit` (bytes of stdout and of stderr that are kept, 4 MiB each unless
--- given; a program that writes more is killed).
---
--- A program that ran has a result, however it ended: code (nil when a signal ended it), signal (nil otherwise),
--- stdout, stderr. Else nil, a message and its code: NOT_FOUND, NOT_EXECUTABLE, NO_FOLDER, OUTPUT_LIMIT, TIMEOUT,
--- KILLED (somebody killed its guard), IO_ERROR (no process could be made).
---@param argv string[]  program and arguments; the program is looked for in PATH
---@param options table|nil
---@return mooncrew.exec.Result|nil result, string|nil message, string|nil code
local function exec(_, argv, options)
  return M.backend(request_of(argv, options, 2))
end

return setmetatable(M, { __call = exec })

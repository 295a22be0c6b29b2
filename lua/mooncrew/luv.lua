-- luv in a worker: `require "luv"` gives Debian's luv, on the worker's own loop. Files, sockets, timers and processes
-- then wait as everything else does:
--
--   local uv = require "luv"
--   local err, stat = crew.async.await(function(resume)
--     local request = uv.fs_stat(path, resume)
--     return function() uv.cancel(request) end
--   end)
--
-- Every function that is handed to luv is wrapped, so that it is known whose it is:
--   * the shared page names the task while its callback runs;
--   * an error in it fails the task, at its next wait, and never the worker;
--   * it cannot wait: it runs in no task's coroutine. It resumes one.
-- A handle belongs to the task that made it, and is closed when the task ends, however it ends; crew.async.keep(handle)
-- lets it stay. So it is with descriptors of files (mooncrew.descriptors). What is made while scripts are loaded, or
-- by crew.on_start, belongs to nobody, and stays.

local descriptors = require "mooncrew.descriptors"
local execute = require "mooncrew.execute"
local host = require "mooncrew.host"
local native = require "mooncrew.native_luv"
local outcome = require "mooncrew.outcome"
local scope = require "mooncrew.scope"
local strand = require "mooncrew.strand"
local trace = require "mooncrew.trace"

local luv = {}

local PACKAGE_PATH = "/usr/lib/x86_64-linux-gnu/lua/5.1/?.so;/usr/lib/aarch64-linux-gnu/lua/5.1/?.so"

local OWN_LOOP = "the loop is the worker's, which runs it: wait with crew.async.await"
local BLOCKS = "it blocks every other task of the worker: wait with crew.sleep"
local FOREIGN = "the loop has handles that are not luv's"
local PROCESS_WIDE = "it changes what all tasks of the worker share"
local THREADS = "an error in a thread would end the whole worker: enqueue a task, or use crew.exec"

-- What would break the worker, and why it is not there.
local TAKEN_AWAY = { run = OWN_LOOP, stop = OWN_LOOP, loop_close = OWN_LOOP, loop_configure = OWN_LOOP, walk = FOREIGN,
  sleep = BLOCKS, chdir = PROCESS_WIDE, disable_stdio_inheritance = PROCESS_WIDE, new_thread = THREADS,
  thread_join = THREADS, new_work = THREADS, queue_work = THREADS }

local CLOSES = { close = true, tcp_close_reset = true, close_reset = true }

local uv_close, uv_fs_close, uv_fs_fstat, uv_is_closing, uv_kill -- luv's own, unwrapped

-- ---- callbacks ----

local function on_error(value)
  return { value = value, trace = not outcome.is(value) and trace.of(value) or nil }
end

local function log_failure(of, raised, event)
  host.log("error", event, { error = execute.describe(raised.value), trace = raised.trace }, of and of.task)
end

local function failed(of, raised)
  if type(raised) ~= "table" then -- the error handler itself failed: no stack was left to run it
    raised = { value = raised }
  end
  if not of then
    log_failure(nil, raised, "error in a callback that belongs to no task")
  elseif of.ended then
    log_failure(of, raised, "error in a callback whose task has ended")
  elseif of.fiber.stopped then
    log_failure(of, raised, "error in a callback whose task was told to stop")
  else
    trace.keep(raised.value, raised.trace)
    strand.halt(of.fiber, "FAILED", raised.value)
  end
end

local function call(of, callback, ...)
  local ok, raised = scope.call(of, callback, on_error, ...)
  if not ok then
    failed(of, raised)
  end
  if of and of.ended then
    of:close() -- what it has made
  end
end

local function callable(value)
  if type(value) == "function" then
    return true
  end
  local meta = (type(value) == "table" or type(value) == "userdata") and debug.getmetatable(value)
  return meta and type(meta.__call) == "function"
end

-- A function for luv that runs the callback on behalf of whoever registers it.
local function owned(callback)
  local of = scope.owner()
  return function(...)
    local fiber = of and not of.ended and of.fiber or nil
    native.blame(fiber and fiber.slot)
    strand.on_behalf(fiber, call, of, callback, ...)
  end
end

local function own_functions(...)
  local count, arguments = select("#", ...), nil
  for i = 1, count do
    local value = select(i, ...)
    if callable(value) then
      arguments = arguments or { ... }
      arguments[i] = owned(value)
    end
  end
  if arguments then
    return unpack(arguments, 1, count)
  end
  return ...
end

-- ---- handles ----

local function close(handle)
  if not uv_is_closing(handle) then
    uv_close(handle)
  end
end

local function hold(handle, ...)
  local of = scope.owner()
  if of and type(handle) == "userdata" then
    of:hold(handle, close)
  end
  return handle, ...
end

local function drop(handle)
  local of = scope.owner()
  if of then
    of:drop(handle)
  end
end

-- Its process is to be waited for, or it stays a zombie: the handle of one that was killed is closed at its exit.
local function spawn(uv_spawn, path, options, on_exit)
  local of, handle = scope.owner(), nil
  local callback = callable(on_exit) and owned(on_exit)
  local function exited(...)
    if of and of:holds(handle) then
      of:hold(handle, close) -- there is no process to kill any more
    end
    if callback then
      callback(...)
    end
    if of and of.ended then
      close(handle)
    end
  end
  local pid, code
  handle, pid, code = uv_spawn(path, options, exited)
  if handle and of then
    local whole_group = type(options) == "table" and options.detached
    of:hold(handle, function()
      if not uv_is_closing(handle) then
        uv_kill(whole_group and -pid or pid, "sigkill")
      end
    end)
  end
  return handle, pid, code -- or nil, message, code
end

-- ---- descriptors ----

-- Closes a descriptor while it is the file that it is now: one that was closed otherwise than by luv may have become
-- a file or socket of the worker's own.
local function closes_file_of(fd)
  local file = uv_fs_fstat(fd)
  return function()
    local now = uv_fs_fstat(fd)
    if file and now and now.dev == file.dev and now.ino == file.ino then
      uv_fs_close(fd)
    end
  end
end

local function hold_descriptor(fd, ...)
  if type(fd) == "number" then
    descriptors.hold(fd, closes_file_of(fd))
  end
  return fd, ...
end

-- A callback that is given a descriptor, behind an error: its task's from then on.
local function given_descriptor(callback)
  return function(err, fd, ...)
    return callback(err, hold_descriptor(fd, ...))
  end
end

local function opens_descriptor(fn)
  return function(...)
    local count, arguments = select("#", ...), { ... }
    for i = 1, count do
      if callable(arguments[i]) then
        arguments[i] = owned(given_descriptor(arguments[i]))
      end
    end
    return hold_descriptor(fn(unpack(arguments, 1, count)))
  end
end

local function after(ended, callback)
  return function(...)
    ended()
    return callback(...)
  end
end

-- The arguments of a request, the first of which may be descriptors: its callback ends it. (One that luv refuses is
-- never ended: its descriptor stays open, rather than be closed under another one.)
local function counted(descriptor_count, ...)
  local count, arguments = select("#", ...), { ... }
  for i = 1, count do
    for place = 1, callable(arguments[i]) and descriptor_count or 0 do
      local ended = descriptors.begin(arguments[place])
      arguments[i] = ended and after(ended, arguments[i]) or arguments[i]
    end
  end
  return unpack(arguments, 1, count)
end

local function uses_descriptors(fn, descriptor_count)
  return function(...)
    return fn(own_functions(counted(descriptor_count, ...)))
  end
end

local function takes_descriptor(fn, place)
  return function(...)
    descriptors.forget((select(place, ...)))
    return fn(own_functions(...))
  end
end

-- ---- the table ----

local function taken_away(name)
  return function()
    error(("uv.%s is taken away in a worker: %s"):format(name, TAKEN_AWAY[name]), 2)
  end
end

-- The calls are tail calls, so that luv's errors about arguments name the handler's line; but for those whose answer is
-- held.
local function guarded(name, fn)
  if name == "spawn" then
    return function(...)
      return spawn(fn, ...)
    end
  elseif descriptors.OPENS[name] then
    return opens_descriptor(fn)
  elseif name:find("^new_") then
    return function(...)
      if descriptors.TAKES[name] then
        descriptors.forget((...))
      end
      return hold(fn(own_functions(...)))
    end
  elseif descriptors.TAKES[name] then
    return takes_descriptor(fn, descriptors.TAKES[name])
  elseif name:find("^fs_") then
    return uses_descriptors(fn, descriptors.USES[name] or 1)
  elseif CLOSES[name] then
    return function(handle, ...)
      drop(handle)
      return fn(handle, own_functions(...))
    end
  end
  return function(...)
    return fn(own_functions(...))
  end
end

local function guard_all(functions)
  for name, fn in pairs(functions) do
    if type(fn) == "function" then
      functions[name] = guarded(name, fn)
    end
  end
end

-- Not of handles, where the same names mean other things: a timer has a stop of its own.
local function take_away(uv)
  for name in pairs(TAKEN_AWAY) do
    uv[name] = uv[name] and taken_away(name)
  end
end

-- Handles have methods, in tables of their own.
local function guard_methods()
  for name, meta in pairs(debug.getregistry()) do
    local methods = type(name) == "string" and name:find("^uv_") and type(meta) == "table" and rawget(meta, "__index")
    if type(methods) == "table" then
      guard_all(methods)
    end
  end
end

local opened

--- Loads luv; raises when it is not there. A second time it is the same.
---@return table luv
function luv.open()
  if opened then
    return opened
  end
  local path, tried = package.searchpath("luv", package.cpath .. ";" .. PACKAGE_PATH)
  if not path then
    error("luv is not installed: install the Debian package lua-luv" .. tried, 0)
  end
  local uv = native.open(path)
  uv_close, uv_fs_close, uv_fs_fstat = uv.close, uv.fs_close, uv.fs_fstat
  uv_is_closing, uv_kill = uv.is_closing, uv.kill
  guard_methods()
  guard_all(uv)
  take_away(uv)
  opened = uv
  return uv
end

return luv

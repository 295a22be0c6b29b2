-- The default backend of crew.redis: connections of the worker, shared by those that name the same address, made when
-- they are first used and closed when nobody has used them for a while.

local await_within = require "mooncrew.await_within"
local host = require "mooncrew.host"
local load_native = require "mooncrew.load_native"
local reply_error = require "mooncrew.redis.reply_error"

local M = {}

local CONNECT_S = 5
local GRACE_S = 30 -- a reply that is so much later than the caller's time: the connection itself must be dead
local LONG_S = 30 -- who waits longer than that for a reply has another connection than those who do not

--- Unused for so many seconds, a shared connection is closed.
M.idle_s = 60

local native

-- A link to the session's address; nil, message, code when there can be none.
local function open_link(session)
  if not native then
    local module, message, code = load_native("mooncrew.native_redis", "crew.redis")
    if not module then
      return nil, message, code
    end
    native = module
    native.make_errors(reply_error.new)
  end
  return native.open(session.url, CONNECT_S, session.timeout + GRACE_S, session.exclusive)
end

---@class mooncrew.redis.Shared
---@field link userdata
---@field name string  the address without the password
---@field calls integer  that wait
---@field used_at number

local shared = {} ---@type table<string, mooncrew.redis.Shared>

-- What long calls wait for must not stand before short ones.
local function key_of(session)
  return session.timeout > LONG_S and ("%s %.3f"):format(session.url, session.timeout) or session.url
end

-- Looks again as long as the connection is there.
local function close_when_idle(key, entry)
  local idle = entry.calls > 0 and 0 or host.now() - entry.used_at
  host.timer_start(math.max(M.idle_s - idle, 0.1), function()
    if entry.calls == 0 and host.now() - entry.used_at >= M.idle_s then
      shared[key] = nil
      native.close(entry.link)
    else
      close_when_idle(key, entry)
    end
  end)
end

local function open_shared(session)
  local key = key_of(session)
  local entry = shared[key]
  if entry then
    return entry
  end
  local link, message, code = open_link(session)
  if not link then
    return nil, message, code
  end
  entry = { link = link, name = native.name(link), calls = 0, used_at = host.now() }
  shared[key] = entry
  close_when_idle(key, entry)
  return entry
end

-- A session of its own lives once: what was its state (WATCH, MULTI, SELECT) is gone when the connection is.
local function open_exclusive(session)
  local entry = session.entry
  if entry and native.over(entry.link) then
    return nil, entry.name .. ": this exclusive connection has ended, and its state (MULTI, WATCH, SELECT) with it: "
      .. "open another one", "UNAVAILABLE"
  elseif not entry then
    local link, message, code = open_link(session)
    if not link then
      return nil, message, code
    end
    entry = { link = link, name = native.name(link), calls = 0, used_at = 0 }
    session.entry = entry
  end
  return entry
end

-- Begins a batch; the function that is returned gives it up. Of an exclusive connection nothing is left then: a reply
-- that came later would answer the next command, or hold what BLPOP took out of a list.
local function send(session, entry, commands, resume)
  local waits = true
  local function finish()
    waits = false
    entry.calls = entry.calls - 1
    entry.used_at = host.now()
  end
  entry.calls = entry.calls + 1
  local number = native.send(entry.link, commands, function(...)
    finish()
    resume(...)
  end)
  return function()
    if not waits then
      return
    end
    finish()
    native.forget(entry.link, number)
    if session.exclusive then
      native.close(entry.link)
    end
  end
end

local function explain(session, entry, message, code)
  if code == "UNKNOWN" then
    message = message .. "; whether the command was carried out is unknown"
  elseif session.exclusive and not entry.connected then
    session.entry = nil -- it has no state yet: the next call tries again
  end
  return nil, message, code
end

--- Sends the commands in one write and waits for their replies.
---@param session table  {url =, timeout = seconds, exclusive = boolean}
---@param commands string[][]
---@return any[]|nil replies, string? message, string? code
function M.pipeline(session, commands)
  local entry, message, code = (session.exclusive and open_exclusive or open_shared)(session)
  if not entry then
    return nil, message, code
  end
  local in_time, replies
  in_time, replies, message, code = await_within(session.timeout, function(resume)
    return send(session, entry, commands, resume)
  end)
  if not in_time then
    return nil, ("%s: no answer to %s within %g s"):format(entry.name, commands[1][1], session.timeout), "TIMED_OUT"
  elseif not replies then
    return explain(session, entry, message, code)
  end
  entry.connected = true
  return replies
end

--- Closes a session of its own; a shared connection stays for the others.
---@param session table
function M.close(session)
  if session.entry then
    native.close(session.entry.link)
  end
end

return M

-- The default backend of crew.postgres: pools of connections of the worker, one for each address and options.
--
-- A connection is spoilt, and thrown away, when a wait for it ended early (its query is then cancelled), when the
-- server ended it, when it is left in a transaction, or when a statement has changed its session.

local async = require "mooncrew.async"
local await_within = require "mooncrew.await_within"
local host = require "mooncrew.host"
local load_native = require "mooncrew.load_native"
local Pool = require "mooncrew.postgres.pool"
local scope = require "mooncrew.scope"
local session_state = require "mooncrew.postgres.session_state"
local values = require "mooncrew.postgres.values"

local M = {}

local native

-- true, or nil, message, code where there is no libpq.
local function load_once()
  if native then
    return true
  end
  local module, message, code = load_native("mooncrew.native_postgres", "crew.postgres")
  native = module
  return module and true, message, code
end

-- ---- one connection ----

local function open_connection(database, seconds, pool)
  local connection
  seconds = math.min(seconds, database.connect_timeout)
  local in_time, ok, message, code = await_within(seconds, function(resume)
    local why, kind
    connection, why, kind = native.open(database.url, resume, function()
      pool:forget(connection)
    end)
    if not connection then
      resume(nil, why, kind)
      return nil
    end
    return function()
      native.close(connection)
    end
  end)
  if in_time and ok then
    return connection
  elseif connection then
    native.close(connection)
  end
  if not in_time then
    return nil, ("no connection to PostgreSQL within %g s"):format(seconds), "TIMED_OUT"
  end
  return nil, message, code
end

local changed = setmetatable({}, { __mode = "k" }) -- the connections whose session is not as it was opened

-- timeout: what the caller was promised; seconds: what is left of it.
local function run(connection, sql, wire, timeout, seconds)
  local sent = true
  if not native.is_ready(connection) then -- lost between being given back and being used
    return nil, "the connection to PostgreSQL was lost", "UNAVAILABLE", nil, true
  end
  local in_time, result, message, code, details = await_within(seconds, function(resume)
    local ok, why, kind = native.query(connection, sql, wire, resume)
    if not ok then
      sent = false
      resume(nil, why, kind)
      return nil
    end
    return function()
      native.close(connection) -- which cancels the query
    end
  end)
  if sent and session_state.may_change(sql, result and result.command) then
    changed[connection] = true
  end
  if not in_time then
    return nil, ("the query took longer than %g s and was cancelled"):format(timeout), "TIMED_OUT"
  elseif not result then
    return nil, message, code, details, not sent
  end
  return values.decode(result)
end

-- ---- pools ----

local pools = {}

local function key_of(database)
  return ("%s\0%d\0%g\0%g"):format(database.url, database.pool, database.idle_timeout, database.connect_timeout)
end

local function pool_of(database)
  local key = key_of(database)
  local pool = pools[key]
  if not pool then
    pool = Pool.new({
      open = function(seconds, self)
        return open_connection(database, seconds, self)
      end,
      close = native.close,
    }, database.pool, database.idle_timeout)
    pools[key] = pool
  end
  return pool
end

local function is_sound(connection)
  return native.is_ready(connection) and not native.in_transaction(connection) and not changed[connection]
end

local function query_alone(database, sql, wire)
  local left_in_transaction = false
  local deadline = host.now() + database.timeout
  local function left()
    return math.max(0, deadline - host.now())
  end
  local function use(connection)
    local result, message, code, details, unsent = run(connection, sql, wire, database.timeout, left())
    left_in_transaction = native.is_ready(connection) and native.in_transaction(connection)
    return result, message, code, details, unsent
  end
  -- A connection that the server has ended while it was idle is found when it is used: nothing was sent then.
  for _ = 0, database.pool do
    local result, message, code, details, unsent = pool_of(database):with(left(), is_sound, use)
    if left_in_transaction then
      return nil, "a transaction begun by query was rolled back: use db:transaction(function(tx) … end)",
        "INVALID_ARGUMENT"
    elseif not (unsent and code == "UNAVAILABLE") then
      return result, message, code, details
    end
  end
  return nil, "the connections to PostgreSQL are lost as soon as they are used", "UNAVAILABLE"
end

local ENDED = "a statement has ended this transaction: leave COMMIT and ROLLBACK to db:transaction"

-- What a caller need not know: a query of a transaction that went with its connection has changed nothing.
local function query_in_transaction(session, sql, wire)
  if session.ended then
    return nil, ENDED, "INVALID_ARGUMENT"
  elseif not native.is_ready(session.connection) then
    async.waiting_strand(3) -- a task that was stopped has thrown it away itself, and is told that
    return nil, "the connection of this transaction was lost; nothing of it was kept", "UNAVAILABLE"
  end
  local timeout = session.database.timeout
  local result, message, code, details = run(session.connection, sql, wire, timeout, timeout)
  if code == "UNKNOWN" and not session.ending then
    code = "UNAVAILABLE"
  elseif not session.ending and native.is_ready(session.connection)
    and not native.in_transaction(session.connection) then
    session.ended = true
    return nil, ENDED, "INVALID_ARGUMENT"
  end
  return result, message, code, details
end

-- ---- the backend ----

--- Runs a statement.
---@param session table  what crew.postgres.open returned, or what acquire did
---@param sql string
---@param _ table  the parameters as the script gave them, with n
---@param wire mooncrew.postgres.Wire  the same as text
---@return table|nil result, string? message, string? code, table? details
function M.query(session, sql, _, wire)
  local loaded, message, code = load_once()
  if not loaded then
    return nil, message, code
  elseif session.connection then
    return query_in_transaction(session, sql, wire)
  end
  return query_alone(session, sql, wire)
end

local function give_back(session)
  local pool = pool_of(session.database)
  if is_sound(session.connection) then
    pool:release(session.connection)
  else
    pool:discard(session.connection)
  end
end

--- A connection of the pool for a transaction alone. The end of the task gives it back in any case: a handler that
--- yields where it must not is never resumed.
---@param database table  what crew.postgres.open returned
---@return table|nil session, string? message, string? code
function M.acquire(database)
  local loaded, message, code = load_once()
  if not loaded then
    return nil, message, code
  end
  local connection
  local deadline = host.now() + database.timeout
  repeat
    if connection then
      pool_of(database):discard(connection)
    end
    connection, message, code = pool_of(database):acquire(deadline - host.now())
  until not connection or native.is_ready(connection)
  if not connection then
    return nil, message, code
  end
  local session = { connection = connection, database = database, scope = scope.of(async.current()) }
  session.scope:hold(session, give_back)
  return session
end

--- Gives it back. What is left in a transaction is thrown away, and the server rolls it back.
---@param session table
function M.release(session)
  session.scope:drop(session)
  give_back(session)
end

return M

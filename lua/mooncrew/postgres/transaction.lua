-- Transactions: BEGIN, a function, COMMIT or ROLLBACK; inside of one, savepoints.
--
--   the function returns                        COMMIT, and what it returned (true for nothing)
--   it returns nil and a message                ROLLBACK, and what it returned
--   it raises, or the task is stopped           ROLLBACK, and the same error

local strand = require "mooncrew.strand"

local M = {}

local ISOLATION = { ["serializable"] = true, ["repeatable read"] = true, ["read committed"] = true,
  ["read uncommitted"] = true }

--- BEGIN with these options; nil and a message when one is wrong.
---@param options { isolation: string|nil, read_only: boolean|nil, deferrable: boolean|nil }|nil
---@return string|nil sql
---@return string? message
function M.begin(options)
  if options ~= nil and type(options) ~= "table" then
    return nil, ("options: expected table, got %s"):format(type(options))
  end
  local sql = "BEGIN"
  for name, value in pairs(options or {}) do
    if name == "isolation" then
      if type(value) ~= "string" or not ISOLATION[value:lower()] then
        return nil, 'isolation: write "serializable", "repeatable read" or "read committed"'
      end
    elseif name ~= "read_only" and name ~= "deferrable" then
      return nil, ("unknown option '%s': there are isolation, read_only and deferrable"):format(tostring(name))
    end
  end
  options = options or {}
  if options.isolation then
    sql = sql .. " ISOLATION LEVEL " .. options.isolation:upper()
  end
  return sql .. (options.read_only and " READ ONLY" or "") .. (options.deferrable and " DEFERRABLE" or "")
end

-- What a script calls inside.
---@class mooncrew.postgres.Transaction
local Transaction = {}
Transaction.__index = Transaction

local NONE = { n = 0 }

local function release_busy(tx, ok, ...)
  tx.busy = false
  if not ok then
    error((...), 0)
  end
  return ...
end

local function perform(tx, sql, params, wire)
  tx.busy = true
  return release_busy(tx, pcall(tx.backend.query, tx.session, sql, params, wire))
end

local function statement(tx, sql)
  return perform(tx, sql, NONE, NONE)
end

--- COMMIT answers ROLLBACK when a statement has failed and the function went on as if it had not.
local function commit(tx)
  tx.session.ending = true
  local result, message, code, details = statement(tx, "COMMIT")
  if not result then
    if code == "TIMED_OUT" or code == "UNKNOWN" then
      return nil, message .. "; whether the transaction was committed is unknown", "UNKNOWN"
    end
    return nil, message, code, details
  elseif result.command == "ROLLBACK" then
    local failed = tx.failed or {}
    return nil, "the transaction was rolled back because a statement had failed: " .. tostring(failed.message),
      failed.code or "25P02"
  end
  return true
end

local function finish_savepoint(tx, name, keep)
  return statement(tx, (keep and "RELEASE SAVEPOINT " or "ROLLBACK TO SAVEPOINT ") .. name)
end

local function is_failure(count, first, second)
  return count >= 2 and first == nil and second ~= nil
end

-- The results of a function that did its work: true where it returned nothing, so that assert works on it.
local function give(count, ...)
  if count == 0 then
    return true
  end
  return ...
end

-- Runs the function and then finish(keep): with true when its work is to be kept.
local function run(tx, body, finish)
  local function settle(ok, ...)
    local count = select("#", ...)
    if not ok then
      pcall(finish, false) -- a task that was stopped cannot wait any more: its connection is thrown away
      error((...), 0)
    elseif is_failure(count, ...) then
      finish(false)
      return ...
    end
    local kept, message, code, details = finish(true)
    if not kept then
      return nil, message, code, details
    end
    return give(count, ...)
  end
  return settle(pcall(body, tx))
end

local function check_usable(tx, level)
  if tx.over then
    error("crew.postgres: this transaction has ended", level + 1)
  elseif tx.busy then
    error("crew.postgres: a statement of this transaction still runs: it does one at a time", level + 1)
  elseif tx.owner and tx.owner ~= strand.running() then
    error("crew.postgres: another function of the gather is in a part of this transaction (tx:transaction)", level + 1)
  end
end

-- Notes the first failure, for commit to tell.
local function keep_failure(tx, result, message, code, details)
  if not result and not tx.failed then
    tx.failed = { message = message, code = code }
  end
  return result, message, code, details
end

--- As query of a database, within the transaction.
function Transaction:query(sql, ...)
  check_usable(self, 2)
  local params, wire = self.prepare(2, sql, ...)
  return keep_failure(self, perform(self, sql, params, wire))
end

--- A transaction within: a savepoint, which can be undone alone.
---@generic T
---@param body fun(tx: mooncrew.postgres.Transaction): T
---@return T|nil, string?, string?
function Transaction:transaction(body)
  check_usable(self, 2)
  self.savepoints = self.savepoints + 1
  local name = "mooncrew_" .. self.savepoints
  local made, message, code, details = statement(self, "SAVEPOINT " .. name)
  if not made then
    return nil, message, code, details
  end
  local failed, owner = self.failed, self.owner
  self.owner = strand.running() -- what others did now would go with the savepoint
  return run(self, body, function(keep)
    self.owner = owner
    local done, why, kind, more = finish_savepoint(self, name, keep)
    if done and not keep then
      self.failed = failed
    elseif not done and keep then -- a statement had failed in it
      finish_savepoint(self, name, false)
      local first = self.failed or {}
      self.failed = failed
      return nil, first.message or why, first.code or kind, more
    end
    return done, why, kind, more
  end)
end

--- Runs the function in a transaction of a session.
---@param backend table
---@param session table
---@param prepare fun(level: integer, sql: string, ...): table, table  checks a query's arguments
---@param begin string
---@param body fun(tx: mooncrew.postgres.Transaction): any
function M.run(backend, session, prepare, begin, body)
  local tx = setmetatable({ backend = backend, session = session, prepare = prepare, savepoints = 0 }, Transaction)
  local begun, message, code, details = statement(tx, begin)
  if not begun then
    return nil, message, code, details
  end
  return run(tx, body, function(keep)
    tx.over = true
    if keep then
      return commit(tx)
    end
    session.ending = true
    return statement(tx, "ROLLBACK")
  end)
end

return M

-- crew.postgres: queries and transactions on a pool of connections, waiting without blocking.
--
--   local db = crew.postgres.open("postgres://app:secret@db/shop", { pool = 10 })
--   local found, message, code = db:query("SELECT name FROM users WHERE id = $1", 42)
--   print(found.rows[1].name)
--
-- The pool belongs to the worker and is shared by all that open the same address with the same options; connections are
-- made when they are needed and closed when they have been idle. libpq is loaded with the first query.

local duration = require "mooncrew.duration"
local strand = require "mooncrew.strand"
local transaction = require "mooncrew.postgres.transaction"
local unknown = require "mooncrew.unknown"
local values = require "mooncrew.postgres.values"

local postgres = {}

---@class mooncrew.Postgres
---@field url string
---@field pool integer             connections at most
---@field timeout number           seconds, of each query with its wait for a connection
---@field connect_timeout number   seconds
---@field idle_timeout number      seconds until an idle connection is closed
local Postgres = {}
Postgres.__index = Postgres

---@class mooncrew.postgres.Result
---@field rows table<string, any>[]  a column that is null is nil
---@field columns string[]           their names, in order
---@field count integer              rows
---@field affected integer|nil       rows that INSERT, UPDATE, DELETE … changed (SELECT: read)
---@field command string             "UPDATE 3"

--- What talks to PostgreSQL. A session is a database (what open returned) or what acquire gave for a transaction.
---   query(session, sql, params, wire) → result | nil, message, code, details   params as the script gave them, with n;
---                                       wire the same as text. BEGIN, COMMIT, ROLLBACK, savepoints come here too.
---   acquire(database) → session | nil, message, code
---   release(session)
--- They may wait.
postgres.backend = {
  query = function(...)
    return require("mooncrew.postgres.connections").query(...)
  end,
  acquire = function(database)
    return require("mooncrew.postgres.connections").acquire(database)
  end,
  release = function(session)
    return require("mooncrew.postgres.connections").release(session)
  end,
}

--- Marks a string as bytes, for a parameter that is a bytea.
---@param text string
function postgres.bytes(text)
  if type(text) ~= "string" then
    error(("crew.postgres.bytes: expected string, got %s"):format(type(text)), 2)
  end
  return values.bytes(text)
end

--- Marks a list as an array of PostgreSQL, for `= ANY($1)` and the like. Tables are JSON otherwise.
---@param items any[]
function postgres.array(items)
  if type(items) ~= "table" then
    error(("crew.postgres.array: expected table, got %s"):format(type(items)), 2)
  end
  return values.array(items)
end

-- Checks a query's arguments.
local function prepare(level, sql, ...)
  if type(sql) ~= "string" then
    error(("crew.postgres: the statement: expected string, got %s"):format(type(sql)), level + 1)
  elseif sql:find("\0", 1, true) then
    error("crew.postgres: the statement holds a NUL byte", level + 1)
  end
  local params = { n = select("#", ...), ... }
  local wire, message = values.wire(params)
  if not wire then
    error("crew.postgres: " .. message, level + 1)
  end
  return params, wire
end

--- Runs one statement, on any connection of the pool.
---
--- Parameters ($1, $2 …) are strings, numbers, booleans, nil or crew.null, int64_t, crew.postgres.bytes,
--- crew.postgres.array, and any other table as JSON. In rows int2 int4 float4 float8 are numbers, int8 a number or
--- (where that would round) an int64_t, bool a boolean, json and jsonb decoded, bytea its bytes, null nil, and all
--- others (numeric, timestamps, arrays …) PostgreSQL's text.
---@param sql string
---@param ... any
---@return mooncrew.postgres.Result|nil
---@return string? message
---@return string? code  the SQLSTATE ("23505"), or UNAVAILABLE (not sent), UNKNOWN (sent, and the connection went
--- before the answer), TIMED_OUT (it was cancelled), INVALID_ARGUMENT
---@return table? details  with a SQLSTATE: detail, hint, schema, table, column, constraint
function Postgres:query(sql, ...)
  local params, wire = prepare(2, sql, ...)
  return postgres.backend.query(self, sql, params, wire)
end

-- Which strand is in a transaction of which addresses. Another one would wait for a connection while it holds one.
local holders = setmetatable({}, { __mode = "k" })

local function enter(database, level)
  local running = strand.running()
  if not running then
    return function() end
  end
  local held = holders[running] or {}
  if held[database.url] then
    error("crew.postgres: a transaction within one: use tx:transaction, which makes a savepoint", level + 1)
  end
  holders[running] = held
  held[database.url] = true
  return function()
    held[database.url] = nil
  end
end

local function leave(session, exit, ok, ...)
  exit()
  postgres.backend.release(session)
  if not ok then
    error((...), 0)
  end
  return ...
end

--- Runs the function in a transaction: tx:query(sql, …) and, for a part that can be undone alone, tx:transaction(fn).
---
--- When it returns, the transaction is committed and its results are returned (true for none). When it raises, or the
--- task is stopped, all is rolled back and the error goes on. When it returns nil and a message, all is rolled back
--- too.
---@generic T
---@param body fun(tx: mooncrew.postgres.Transaction): T
---@param options { isolation: string|nil, read_only: boolean|nil, deferrable: boolean|nil }|nil
---@return T|nil
---@return string? message
---@return string? code  as of query; UNKNOWN when it may have been committed
function Postgres:transaction(body, options)
  if type(body) ~= "function" then
    error(("crew.postgres: transaction: expected function, got %s"):format(type(body)), 2)
  end
  local begin, wrong = transaction.begin(options)
  if not begin then
    error("crew.postgres: transaction: " .. wrong, 2)
  end
  local exit = enter(self, 2)
  local ok, session, message, code = pcall(postgres.backend.acquire, self)
  if not ok or not session then
    exit()
    if not ok then
      error(session, 0)
    end
    return nil, message, code
  end
  return leave(session, exit, pcall(transaction.run, postgres.backend, session, prepare, begin, body))
end

-- ---- open ----

local DEFAULTS = { pool = 10, timeout = 30, connect_timeout = 5, idle_timeout = 60 }

local function read_options(options)
  local database = {}
  if options ~= nil and type(options) ~= "table" then
    error(("crew.postgres.open: options: expected table, got %s"):format(type(options)), 3)
  end
  for name in pairs(options or {}) do
    if DEFAULTS[name] == nil then
      error("crew.postgres.open: " .. unknown("option", name, DEFAULTS), 3)
    end
  end
  for name, default in pairs(DEFAULTS) do
    local value, message = options and options[name] or default, nil
    if name ~= "pool" then
      value, message = duration.seconds(value)
    end
    if type(value) ~= "number" or value <= 0 or (name == "pool" and value % 1 ~= 0) then
      error(("crew.postgres.open: %s: %s"):format(name, message or "a whole number above 0 is expected"), 3)
    end
    database[name] = value
  end
  return database
end

-- Whether it looks like one: libpq reads it when it connects. The text may hold a password, so no error shows it.
local function is_address(url)
  return url:find "^postgres://" or url:find "^postgresql://" or url:find "^%s*[%a_]+%s*="
end

--- A database to talk to. Nothing is connected before the first query.
---@param url string  postgres://user:password@host:port/database, or "host=… user=… dbname=…"
---@param options { pool: integer|nil, timeout: number|string|nil, connect_timeout: number|string|nil,
--- idle_timeout: number|string|nil }|nil  10 connections at most, 30 s, 5 s, 60 s
---@return mooncrew.Postgres
function postgres.open(url, options)
  if type(url) ~= "string" then
    error(("crew.postgres.open: url: expected string, got %s"):format(type(url)), 2)
  elseif not is_address(url) then
    error("crew.postgres.open: url: write postgres://user:password@host:port/database, or \"host=… dbname=…\"", 2)
  end
  local database = read_options(options)
  database.url = url
  return setmetatable(database, Postgres)
end

return postgres

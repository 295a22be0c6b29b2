-- Queries of crew.postgres in a test: answered by a stub, and recorded. A stub is a function of statement and
-- parameters, or a table by statement, where "*" stands for anything and white space does not count. An answer is the
-- list of rows, a table { rows, affected, … }, a function that returns one, or nil, message, code, details. BEGIN,
-- COMMIT and their like need no answer.

local check_fields = require "mooncrew.testing.stub.answer"
local glob = require "mooncrew.testing.glob"

local M = { module = "mooncrew.postgres", list = "queries",
  expected = "a function of statement and parameters, or a table by statement" }

---@param stub any
---@return boolean
function M.usable(stub)
  return type(stub) == "function" or type(stub) == "table"
end

local CONTROL = { BEGIN = true, COMMIT = true, ROLLBACK = true, SAVEPOINT = true, RELEASE = true }

local function one_line(sql)
  return (sql:gsub("%s+", " "):gsub("^ ", ""):gsub(" $", ""))
end

local function matches(sql, pattern)
  return glob.matches(sql, one_line(pattern))
end

local function find_answer(stub, sql)
  if type(stub) == "table" then
    return glob.find(stub, sql, matches)
  end
  return stub
end

local FIELDS = { rows = "table", columns = "table", count = "number", affected = "number", command = "string" }

-- A list is one of rows, and so is an empty table.
local function result_of(given, sql)
  local result = { rows = {}, columns = {}, command = sql:match "^%a*" }
  for name, value in pairs(given or {}) do
    if type(name) == "number" then
      result.rows[name] = value
    else
      result[name] = value
    end
  end
  result.count = result.count or #result.rows
  result.affected = result.affected or result.count
  return result
end

local function ask(stub, sql, params)
  if CONTROL[sql:match "^%a*"] then
    return result_of(nil, sql)
  end
  local answer = stub and find_answer(stub, sql)
  if not answer then
    error(("the test has no answer for the query %s: give one with testing.stub_postgres { [\"%s\"] = { { id = 1 } } }")
      :format(sql, sql), 0)
  end
  local given, message, code, details = answer, nil, nil, nil
  if type(answer) == "function" then
    given, message, code, details = answer(sql, params)
  end
  if given == nil and message then
    return nil, message, code or "XX000", details
  elseif given ~= nil and type(given) ~= "table" then
    error(("the stub's answer to the query %s must be a list of rows, or a table { rows, affected }, got %s"):format(
      sql, type(given)), 0)
  end
  local result = result_of(given, sql)
  check_fields(result, FIELDS, "the query " .. sql)
  return result
end

---@param stub_of fun(): any
---@param record fun(entry: table): table
---@return table
function M.backend(_, _, stub_of, record)
  return {
    query = function(_, sql, params)
      sql = one_line(sql)
      local entry = record { sql = sql, params = params }
      local result, message, code, details = ask(stub_of(), sql, params)
      entry.result, entry.failure = result, message
      return result, message, code, details
    end,
    acquire = function(database)
      return { database = database }
    end,
    release = function() end,
  }
end

return M

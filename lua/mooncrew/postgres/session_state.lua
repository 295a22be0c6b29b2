-- Which statements leave something in the session that outlives them: settings, LISTEN, prepared statements, temporary
-- tables, advisory locks. A connection that did one is not given to another task.
--
-- It goes by what the server says it did and by the words of the statement; a function of the database that changes
-- the session by itself is not seen.

local M = {}

-- By the first word of the command tag. DO and CALL run code that may do anything.
local TAGS = { SET = true, LISTEN = true, PREPARE = true, LOAD = true, DO = true, CALL = true }

-- These have SET's tag and end with their transaction.
local OF_TRANSACTION = { "^%s*set%s+local%s", "^%s*set%s+transaction%s", "^%s*set%s+constraints%s" }

-- Also where the statement fails: a lock that it took before stays.
local WORDS = { "advisory_lock", "set_config", "setseed", "create%s+temp", "replace%s+temp", "local%s+temp",
  "global%s+temp", "into%s+temp", "pg_temp", "with%s+hold" }

-- Code that may have committed something before it failed.
local CODE = { "^%s*call%s", "^%s*do[%s$']" }

local function has_one(text, patterns)
  for _, pattern in ipairs(patterns) do
    if text:find(pattern) then
      return true
    end
  end
  return false
end

--- Whether a statement may have left something in its session.
---@param sql string
---@param command string|nil  the command tag; nil when it failed
---@return boolean
function M.may_change(sql, command)
  local text = sql:lower()
  if command and TAGS[command:match "^%u+"] and not has_one(text, OF_TRANSACTION) then
    return true
  end
  return has_one(text, WORDS) or (not command and has_one(text, CODE))
end

return M

-- Which statements leave something in the session that outlives them: settings, LISTEN, prepared statements, temporary
-- tables, advisory locks. A connection that did one is not given to another task.
--
-- It goes by what the server says it did and by the words of the statement; a function of the database that changes
-- the session by itself is not seen.

local M = {}

-- By the first word of the command tag. SET LOCAL has the same tag; DO and CALL run code that may do anything.
local TAGS = { SET = true, LISTEN = true, PREPARE = true, LOAD = true, DO = true, CALL = true }

-- Also where the statement fails: a lock that it took before stays.
local WORDS = { "advisory_lock", "set_config", "setseed", "%f[%w]temp%f[^%w]", "%f[%w]temporary%f[^%w]", "pg_temp",
  "with%s+hold" }

--- Whether a statement may have left something in its session.
---@param sql string
---@param command string|nil  the command tag; nil when it failed
---@return boolean
function M.may_change(sql, command)
  if command and TAGS[command:match "^%u+"] then
    return true
  end
  local text = sql:lower()
  for _, word in ipairs(WORDS) do
    if text:find(word) then
      return true
    end
  end
  return false
end

return M

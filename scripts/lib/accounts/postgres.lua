-- The accounts as rows of PostgreSQL: the tables users and verifications of scripts/sql/schema.sql.

local secrets = require "lib.secrets"

local M = {}

---@class PostgresAccounts: Accounts
---@field db mooncrew.Postgres
local Accounts = {}
Accounts.__index = Accounts

---@param db mooncrew.Postgres
---@return PostgresAccounts
function M.new(db)
  return setmetatable({ db = db }, Accounts)
end

function Accounts:find_user(username)
  local found, message = self.db:query("SELECT name, email FROM users WHERE username = $1", username)
  if not found then
    return nil, message
  end
  return found.rows[1]
end

-- Two runs of a task may even meet here: the second INSERT waits for the first one's end, and then does nothing. The
-- time to use a link begins with the run that sends it.
function Accounts:verification(task_id, username, expires_at)
  return self.db:transaction(function(tx)
    local made, message = tx:query([[
      INSERT INTO verifications (task_id, username, secret, expires_at) VALUES ($1, $2, $3, to_timestamp($4))
      ON CONFLICT (task_id) DO NOTHING]], task_id, username, secrets.new(), expires_at)
    if not made then
      return nil, message
    end
    local found
    found, message = tx:query([[
      UPDATE verifications SET expires_at = CASE WHEN sent_at IS NULL THEN to_timestamp($2) ELSE expires_at END
      WHERE task_id = $1 RETURNING secret, sent_at IS NOT NULL AS sent]], task_id, expires_at)
    if not found then
      return nil, message
    end
    return found.rows[1]
  end)
end

function Accounts:note_sent(task_id)
  local done, message = self.db:query("UPDATE verifications SET sent_at = now() WHERE task_id = $1", task_id)
  return done and true, message
end

function Accounts:verify(secret, now)
  if not secrets.is_one(secret) then
    return nil, "not a secret of ours"
  end
  local found, message = self.db:query(
    "SELECT username, expires_at <= to_timestamp($2) AS expired FROM verifications WHERE secret = $1", secret, now)
  local row = found and found.rows[1]
  if not row then
    return nil, message or "not a secret of ours"
  elseif row.expired then
    return nil, "expired"
  end
  return row.username
end

return M

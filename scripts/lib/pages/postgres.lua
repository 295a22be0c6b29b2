-- Pages of a digest as rows of PostgreSQL: the table digest_pages of scripts/sql/schema.sql.

local crew = require "mooncrew"

local M = {}

---@class PostgresPages: Pages
---@field db mooncrew.Postgres
local Pages = {}
Pages.__index = Pages

---@param db mooncrew.Postgres
---@return PostgresPages
function M.new(db)
  return setmetatable({ db = db }, Pages)
end

function Pages:add(id, username, events)
  local done, message = self.db:query([[
    INSERT INTO digest_pages (task_id, username, events) VALUES ($1, $2, $3) ON CONFLICT (task_id) DO NOTHING]],
    id, username, crew.array(events))
  return done and true, message
end

function Pages:users()
  local found, message = self.db:query("SELECT DISTINCT username FROM digest_pages ORDER BY username")
  if not found then
    return nil, message
  end
  local users = {}
  for i, row in ipairs(found.rows) do
    users[i] = row.username
  end
  return users
end

function Pages:of(username)
  local found, message = self.db:query([[
    SELECT task_id AS id, events FROM digest_pages WHERE username = $1 ORDER BY added_at, task_id]], username)
  return found and found.rows, message
end

function Pages:remove(_, pages)
  local ids = {}
  for i, page in ipairs(pages) do
    ids[i] = page.id
  end
  local done, message = self.db:query("DELETE FROM digest_pages WHERE task_id = ANY($1)", crew.postgres.array(ids))
  return done and true, message
end

return M

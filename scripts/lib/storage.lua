-- Where the application keeps things. The environment says it:
--
--   APP_DATABASE_URL  a PostgreSQL database with the tables of scripts/sql/schema.sql: postgres://app:secret@db/app
--   APP_DATA          a folder, for pictures and for everything else while there is no database; "data" unless set

local crew = require "mooncrew"

local M = {}

local QUERY_TIMEOUT = "10s"

---@return string path
function M.folder()
  return os.getenv("APP_DATA") or "data"
end

-- One of two implementations of the same interface, on what is there.
---@generic T
---@param on_database fun(db: mooncrew.Postgres): T
---@param on_folder fun(folder: string): T
---@return T
function M.pick(on_database, on_folder)
  local url = os.getenv("APP_DATABASE_URL")
  if url and url ~= "" then
    -- Cheap: the worker has one pool of connections for all that open the same address.
    return on_database(crew.postgres.open(url, { timeout = QUERY_TIMEOUT }))
  end
  return on_folder(M.folder())
end

return M

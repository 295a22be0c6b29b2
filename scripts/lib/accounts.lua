-- The accounts: who the users are, and what proves that an address is theirs. They are rows of PostgreSQL where there
-- is a database (accounts/postgres.lua), else files (accounts/files.lua).

local files = require "lib.accounts.files"
local postgres = require "lib.accounts.postgres"
local storage = require "lib.storage"

local M = {}

---@class User
---@field name string as it stands in a letter; any text
---@field email string

---@class Verification what one task made to be sent
---@field secret string it goes into the link
---@field sent boolean whether the message is known to be on its way

---@class Accounts what both can do; a failure of the store is nil and a message
---@field find_user fun(self, username: string): User|nil, string|nil nil alone: nobody has that name
---@field verification fun(self, task_id: string, username: string, expires_at: integer): Verification|nil, string|nil
---  a new one, or the one that this task made before
---@field note_sent fun(self, task_id: string): true|nil, string|nil
---@field verify fun(self, secret: string, now: integer): string|nil, string|nil whom a secret stands for; what the page
---  behind the link asks

---@return Accounts
function M.open()
  return storage.pick(postgres.new, files.new)
end

return M

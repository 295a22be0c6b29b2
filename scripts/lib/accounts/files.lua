-- The accounts as files of JSON:
--
--   <folder>/users/<user name>.json          {"email": "…", "name": "…"}
--   <folder>/verifications/<task id>.json    {"secret": "…", "sent": false, "username": "…"}
--   <folder>/secrets/<secret>.json           {"expires_at": unix seconds, "username": "…"}
--
-- Everything here is for its owner's eyes alone: the folders are made with mode 700.

local file_name = require "lib.file_name"
local json_file = require "lib.json_file"
local secrets = require "lib.secrets"

local M = {}

---@class FileAccounts: Accounts
---@field folder string
local Accounts = {}
Accounts.__index = Accounts

---@param folder string
---@return FileAccounts
function M.new(folder)
  return setmetatable({ folder = folder }, Accounts)
end

local function path_of(self, kind, name)
  return ("%s/%s/%s.json"):format(self.folder, kind, file_name.of(name))
end

-- Adds a user, or changes one.
---@param username string
---@param user User
---@return true|nil ok
---@return string? message
function Accounts:put_user(username, user)
  return json_file.write(path_of(self, "users", username), { name = user.name, email = user.email })
end

function Accounts:find_user(username)
  local path = path_of(self, "users", username)
  local user, message = json_file.read(path)
  if not user then
    return nil, message
  end
  if type(user.email) ~= "string" or type(user.name) ~= "string" then
    return nil, path .. " lacks name or email"
  end
  return user
end

-- What the task made is written first, and its secret never changes; so a run that ended between the two files made no
-- secret in vain, and the next one writes the second file. The time to use a link begins with the run that sends it.
function Accounts:verification(task_id, username, expires_at)
  local path = path_of(self, "verifications", task_id)
  local ok, message = json_file.write_once(path, { secret = secrets.new(), sent = false, username = username })
  if not ok then
    return nil, message
  end
  local made
  made, message = json_file.read(path)
  if not made then
    return nil, message
  end
  if not made.sent then
    ok, message = json_file.write(path_of(self, "secrets", made.secret),
      { username = username, expires_at = expires_at })
  end
  return ok and { secret = made.secret, sent = made.sent }, message
end

function Accounts:note_sent(task_id)
  local path = path_of(self, "verifications", task_id)
  local made, message = json_file.read(path)
  if not made then
    return nil, message or path .. " is not there"
  end
  made.sent = true
  return json_file.write(path, made)
end

function Accounts:verify(secret, now)
  if not secrets.is_one(secret) then
    return nil, "not a secret of ours"
  end
  local entry, message = json_file.read(path_of(self, "secrets", secret))
  if not entry then
    return nil, message or "not a secret of ours"
  end
  if entry.expires_at <= now then
    return nil, "expired"
  end
  return entry.username
end

return M

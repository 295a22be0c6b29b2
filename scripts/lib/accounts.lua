-- The accounts: one JSON file per user, and one per secret that was sent out and is not used yet.
--
--   <folder>/users/<user name>.json   {"email": "…", "name": "…"}
--   <folder>/secrets/<secret>.json    {"expires_at": unix seconds, "username": "…"}
--
-- Everything here is for its owner's eyes alone: the folders are made with mode 700.

local crew = require "mooncrew"
local files = require "lib.files"
local uv = require "luv"

local M = {}

---@class Accounts
---@field folder string
local Accounts = {}
Accounts.__index = Accounts

---@class User
---@field name string as it stands in a letter; any text
---@field email string

local SECRET_SIZE = 32
-- 64 letters, so that a random byte picks each of them equally often (256 is four times 64).
local ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

---@param folder string
---@return Accounts
function M.open(folder)
  return setmetatable({ folder = folder }, Accounts)
end

-- A user name may hold anything; a file name may not: "..", "/" and capitals of other scripts are written as %XX.
local function file_name(text)
  return (text:gsub("[^%w_-]", function(byte)
    return ("%%%02X"):format(byte:byte())
  end)) .. ".json"
end

-- The object in a file: nil alone when there is no such file, nil and a message when it cannot be used.
local function read_object(path)
  local file, message, code = io.open(path, "rb")
  if not file then
    local ENOENT = 2
    return nil, code ~= ENOENT and message or nil
  end
  local text = file:read("*a")
  file:close()
  local ok, value = crew.json.decode(text or "", nil, path)
  if not ok then
    return nil, value
  end
  if type(value) ~= "table" then
    return nil, path .. ": expected a JSON object, got " .. type(value)
  end
  return value
end

-- Adds a user, or changes one.
---@param username string
---@param user User
---@return true|nil ok
---@return string? message
function Accounts:put_user(username, user)
  local folder = self.folder .. "/users"
  local ok, message = files.make_folder(folder)
  if not ok then
    return nil, message
  end
  local path = folder .. "/" .. file_name(username)
  local aside = ("%s.%d.%d"):format(path, uv.os_getpid(), uv.hrtime())
  return files.write_through(aside, path, crew.json.encode({ name = user.name, email = user.email }))
end

---@param username string
---@return User|nil user nil alone: nobody has that name
---@return string? message what is wrong with the store
function Accounts:find_user(username)
  local path = self.folder .. "/users/" .. file_name(username)
  local user, message = read_object(path)
  if not user then
    return nil, message
  end
  if type(user.email) ~= "string" or type(user.name) ~= "string" then
    return nil, path .. " lacks name or email"
  end
  return user
end

local function random_secret()
  return (uv.random(SECRET_SIZE):gsub(".", function(byte)
    local letter = byte:byte() % #ALPHABET + 1
    return ALPHABET:sub(letter, letter)
  end))
end

-- Makes a secret that stands for a user until it expires.
---@param username string
---@param expires_at integer unix seconds
---@return string|nil secret
---@return string? message
function Accounts:issue_secret(username, expires_at)
  local folder = self.folder .. "/secrets"
  local ok, message = files.make_folder(folder)
  if not ok then
    return nil, message
  end
  local secret = random_secret()
  ok, message = files.write_new(("%s/%s.json"):format(folder, secret),
    crew.json.encode({ username = username, expires_at = expires_at }))
  if not ok then
    return nil, message
  end
  ok, message = files.sync_folder(folder)
  return ok and secret or nil, message
end

-- Whom a secret stands for. This is what the page behind the link asks.
---@param secret string as it came with the request: anything
---@param now integer unix seconds
---@return string|nil username
---@return string? message
function Accounts:verify(secret, now)
  if #secret ~= SECRET_SIZE or secret:find("[^%w_-]") then
    return nil, "not a secret of ours"
  end
  local entry, message = read_object(("%s/secrets/%s.json"):format(self.folder, secret))
  if not entry then
    return nil, message or "not a secret of ours"
  end
  if entry.expires_at <= now then
    return nil, "expired"
  end
  return entry.username
end

return M

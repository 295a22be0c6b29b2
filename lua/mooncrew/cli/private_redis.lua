-- Where the private Redis of `mooncrew dev` lives: its data in `.mooncrew/`, its socket there too.
--
-- Linux takes socket paths of at most 107 bytes. Where the current folder's path is longer, the socket stands in a
-- folder of its own in $XDG_RUNTIME_DIR, or else in /tmp, named after the user and after device and inode of
-- `.mooncrew`: so it is found again without a note, and only this user can enter it.

local uv = require "luv"
local native = require "mooncrew.native_cli"

local M = {}

M.FOLDER = ".mooncrew"
M.SOURCE = "mooncrew dev" -- where `mooncrew config` says that its address comes from
local SOCKET = "redis.sock"
local LONGEST = 107

local function url_of(path)
  return "redis+unix://" .. path:gsub("[^%w%-._~/]", function(c)
    return ("%%%02X"):format(c:byte())
  end)
end

-- The folders where the socket may stand, the best first; `outside` marks those that are not the data folder.
local function places()
  local data = uv.cwd():gsub("/$", "") .. "/" .. M.FOLDER
  local list = { { folder = data } }
  local info = uv.fs_stat(M.FOLDER)
  if info then
    local name = ("/mooncrew-%d-%x-%x"):format(uv.getuid(), info.dev, info.ino)
    for _, base in ipairs { os.getenv("XDG_RUNTIME_DIR") or "", "/tmp" } do
      if base:sub(1, 1) == "/" then
        list[#list + 1] = { folder = base .. name, outside = true }
      end
    end
  end
  local short = {}
  for _, place in ipairs(list) do
    place.socket = place.folder .. "/" .. SOCKET
    if #place.socket <= LONGEST then
      short[#short + 1] = place
    end
  end
  return short
end

--- The URL of the private Redis that runs for the current folder.
---@return string|nil url nil when none runs
function M.running()
  for _, place in ipairs(places()) do
    if uv.fs_stat(place.socket) and native.redis_alive(place.socket) then
      return url_of(place.socket)
    end
  end
end

-- Makes the folder for this user alone, or takes it when it is so already.
local function make_folder(path)
  local made, why, code = uv.fs_mkdir(path, tonumber("700", 8))
  if not made and code ~= "EEXIST" then
    return nil, ("cannot make the folder %s: %s"):format(path, why)
  end
  local info = uv.fs_lstat(path)
  if not info or info.type ~= "directory" then
    return nil, ("%s is in the way: it should be a folder"):format(path)
  end
  if info.uid ~= uv.getuid() then
    return nil, ("the folder %s belongs to another user"):format(path)
  end
  if info.mode % 64 ~= 0 then -- others may enter it
    local ok
    ok, why = uv.fs_chmod(path, tonumber("700", 8))
    if not ok then
      return nil, ("cannot close the folder %s to others: %s"):format(path, why)
    end
  end
  return true
end

--- Starts it and waits until it answers.
---@return { pid: integer, url: string, folder: string|nil }|nil redis folder: made for the socket alone, to be removed
---@return string? message
function M.start()
  local ok, why = make_folder(M.FOLDER)
  if not ok then
    return nil, why
  end
  local place = places()[1]
  if place.outside then
    ok, why = make_folder(place.folder)
    if not ok then
      return nil, why
    end
  end
  local pid
  pid, why = native.start_redis(M.FOLDER, place.socket)
  if not pid then
    return nil, why
  end
  return { pid = pid, url = url_of(place.socket), folder = place.outside and place.folder or nil }
end

return M

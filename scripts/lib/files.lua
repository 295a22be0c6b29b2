-- Files that survive a crash: whole or not there, and on the disk before anyone is told that they exist.

local uv = require "luv"

local M = {}

local OWNER_READ_WRITE = tonumber("600", 8)
local OWNER_ALL = tonumber("700", 8)

-- Makes a folder and the ones above it, for the owner alone.
---@param path string
---@return true|nil ok
---@return string? message
function M.make_folder(path)
  local ok, message, code = uv.fs_mkdir(path, OWNER_ALL)
  if ok or code == "EEXIST" then
    return true
  end
  local parent = path:match("^(.+)/[^/]+/*$")
  if code ~= "ENOENT" or not parent then
    return nil, message
  end
  ok, message = M.make_folder(parent)
  if not ok then
    return nil, message
  end
  return M.make_folder(path)
end

local function write_all(fd, text)
  local done = 0
  while done < #text do
    local count, message = uv.fs_write(fd, text:sub(done + 1), done)
    if not count then
      return nil, message
    end
    done = done + count
  end
  return uv.fs_fsync(fd)
end

-- Writes a file that must not exist yet, and waits until the disk has it.
---@param path string
---@param text string
---@return true|nil ok
---@return string? message
function M.write_new(path, text)
  local fd, message = uv.fs_open(path, "wx", OWNER_READ_WRITE)
  if not fd then
    return nil, message
  end
  local ok
  ok, message = write_all(fd, text)
  uv.fs_close(fd)
  if not ok then
    uv.fs_unlink(path)
    return nil, message
  end
  return true
end

-- Waits until the disk has what a file holds, or knows the names in a folder: a rename may otherwise be forgotten in a
-- power cut.
local function sync(path)
  local fd, message = uv.fs_open(path, "r", 0)
  if not fd then
    return nil, message
  end
  local ok
  ok, message = uv.fs_fsync(fd)
  uv.fs_close(fd)
  return ok and true, message
end

-- Moves a file that another program has written to its place, once the disk has all of it.
---@param aside string where it is, on the same file system
---@param path string
---@return true|nil ok
---@return string? message
function M.sync_and_move(aside, path)
  local ok, message = sync(aside)
  if not ok then
    return nil, message
  end
  ok, message = uv.fs_rename(aside, path)
  if not ok then
    return nil, message
  end
  return sync(path:match("^(.*)/") or ".")
end

-- Writes a file under a name in one folder, then moves it to its place: readers of `path` see all of it or nothing.
---@param aside string where to write, on the same file system
---@param path string
---@param text string
---@return true|nil ok
---@return string? message
function M.write_through(aside, path, text)
  local ok, message = M.write_new(aside, text)
  if not ok then
    return nil, message
  end
  ok, message = uv.fs_rename(aside, path)
  if not ok then
    uv.fs_unlink(aside)
    return nil, message
  end
  return sync(path:match("^(.*)/") or ".")
end

-- The same, but a file that is at the place already stays as it is.
---@param aside string where to write, on the same file system
---@param path string
---@param text string
---@return true|nil ok
---@return string? message
function M.write_once(aside, path, text)
  local ok, message = M.write_new(aside, text)
  if not ok then
    return nil, message
  end
  local code
  ok, message, code = uv.fs_link(aside, path)
  uv.fs_unlink(aside)
  if not ok and code ~= "EEXIST" then
    return nil, message
  end
  return sync(path:match("^(.*)/") or ".")
end

return M

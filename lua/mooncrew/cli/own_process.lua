-- Whether a process of this machine is a mooncrew server: asked before it is signalled, since what stands in Redis may
-- be some seconds old, and another program may have got the number.

local uv = require "luv"

local M = {}

local SERVES = { run = true, dev = true }

local function program_name(pid)
  local path = uv.fs_readlink(("/proc/%s/exe"):format(pid))
  return path and path:gsub(" %(deleted%)$", ""):match "[^/]+$" -- deleted: another version was installed since
end

local function arguments(pid)
  local file = io.open(("/proc/%d/cmdline"):format(pid), "rb")
  local text = file and file:read "*a" or ""
  if file then
    file:close()
  end
  return text:gmatch "([^%z]*)%z"
end

--- `mooncrew run` or `mooncrew dev`?
---@param pid integer
---@return boolean
function M.serves(pid)
  local name = program_name(pid)
  if not name or name ~= program_name "self" then
    return false
  end
  for argument in arguments(pid) do
    if SERVES[argument] then
      return true
    end
  end
  return false
end

return M

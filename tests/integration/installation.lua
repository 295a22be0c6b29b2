-- An installed mooncrew: `make install` into a folder, and shell commands that use what is there.
local Process = require "process"
local uv = require "luv"
local wait = require "wait"

local M = {}

local SAN = os.getenv "SAN" or ""
local SECONDS = 120

--- `make install` of the build at hand, whatever its name; the same folder must be named in the same way as when it was
--- built.
---@param folder string  where its output goes
---@param arguments string[]  "PREFIX=…"
function M.make(folder, arguments)
  local build = assert(os.getenv "MOONCREW_BUILD"):gsub("^" .. uv.cwd():gsub("%p", "%%%0") .. "/", "")
  local code, text = Process.run("make", {
    args = { "-s", "install", "BUILD=" .. build, "SAN=" .. SAN, unpack(arguments) }, output = folder .. "/make.out",
  }, SECONDS * wait.patience)
  assert(code == 0, text)
end

--- Runs a shell command; returns its exit code and what it wrote.
---@param folder string
---@param command string
---@param env table|nil
---@return integer code, string text
function M.try(folder, command, env)
  local output = folder .. "/sh.out"
  local code, text = Process.run("/bin/sh", { args = { "-c", command }, cwd = folder, env = env, output = output },
    SECONDS)
  uv.fs_unlink(output)
  return code, text
end

--- The same for a command that has to succeed.
---@return string text
function M.sh(folder, command, env)
  local code, text = M.try(folder, command, env)
  assert(code == 0, ("%s\nended with %d:\n%s"):format(command, code, text))
  return text
end

return M

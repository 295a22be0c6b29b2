-- A folder for one test, removed with all that is in it.

local uv = require "luv"

local M = {}

---@return string path
function M.make()
  return assert(uv.fs_mkdtemp((os.getenv("TMPDIR") or "/tmp") .. "/mooncrew-spec.XXXXXX"))
end

---@param path string
function M.remove(path)
  assert(path:find("mooncrew-spec.", 1, true))
  assert(os.execute("rm -rf '" .. path .. "'") == 0)
end

---@param path string
---@return string[] names sorted
function M.names(path)
  local names = {}
  local scan = assert(uv.fs_scandir(path))
  for name in uv.fs_scandir_next, scan do
    names[#names + 1] = name
  end
  table.sort(names)
  return names
end

---@param path string
---@return string text
function M.read(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read("*a")
  file:close()
  return text
end

---@param path string
---@param text string
function M.write(path, text)
  local file = assert(io.open(path, "wb"))
  file:write(text)
  file:close()
end

return M

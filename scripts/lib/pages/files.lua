-- Pages of a digest as files of JSON:
--
--   <folder>/digests/<user name>/<page id>.json    {"events": […]}

local crew = require "mooncrew"
local file_name = require "lib.file_name"
local json_file = require "lib.json_file"
local uv = require "luv"

local M = {}

---@class FilePages: Pages
---@field folder string
local Pages = {}
Pages.__index = Pages

---@param folder string
---@return FilePages
function M.new(folder)
  return setmetatable({ folder = folder .. "/digests" }, Pages)
end

local function path_of(self, username, id)
  return ("%s/%s/%s.json"):format(self.folder, file_name.of(username), file_name.of(id))
end

-- The names in a folder that fit, in order; none when there is no such folder.
local function names_in(folder, pattern)
  local scan, message, code = uv.fs_scandir(folder)
  if not scan then
    return code == "ENOENT" and {} or nil, message
  end
  local names = {}
  for name in uv.fs_scandir_next, scan do
    names[#names + 1] = name:match(pattern)
  end
  table.sort(names)
  return names
end

function Pages:add(id, username, events)
  return json_file.write_once(path_of(self, username, id), { events = crew.array(events) })
end

function Pages:users()
  local names, message = names_in(self.folder, "^[%w_%%-]+$")
  local users = {}
  for _, name in ipairs(names or {}) do
    if names_in(self.folder .. "/" .. name, "^[%w_%%-]+%.json$")[1] then
      users[#users + 1] = file_name.text(name)
    end
  end
  return names and users, message
end

-- What is being written has another ending, and does not count.
function Pages:of(username)
  local names, message = names_in(self.folder .. "/" .. file_name.of(username), "^([%w_%%-]+)%.json$")
  if not names then
    return nil, message
  end
  local pages = {}
  for i, name in ipairs(names) do
    local id = file_name.text(name)
    local page
    page, message = json_file.read(path_of(self, username, id))
    if not page then
      return nil, message
    end
    pages[i] = { id = id, events = page.events }
  end
  return pages
end

function Pages:remove(username, pages)
  for _, page in ipairs(pages) do
    local ok, message, code = uv.fs_unlink(path_of(self, username, page.id))
    if not ok and code ~= "ENOENT" then
      return nil, message
    end
  end
  return true
end

return M

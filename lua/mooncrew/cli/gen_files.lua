-- Generated files: printed, written where they changed, or compared with those that are there.

local output = require "mooncrew.cli.output"
local uv = require "luv"

local M = {}

local FAILED = 1
local FILE_MODE, FOLDER_MODE = tonumber("644", 8), tonumber("755", 8)

---@class mooncrew.cli.GeneratedFile
---@field name string  without folder
---@field text string

--- One after the other; all of them if there are several are preceded by their name.
---@param list mooncrew.cli.GeneratedFile[]
function M.print(list)
  for i, file in ipairs(list) do
    if #list > 1 then
      output.write(("%s==> %s <==\n"):format(i > 1 and "\n" or "", file.name))
    end
    output.write(file.text)
  end
end

local function read(path)
  local file, why = io.open(path, "rb")
  if not file then
    return nil, why
  end
  local text = file:read "*a"
  file:close()
  return text
end

local function make_folder(path)
  local parent = path:match "^(.+)/[^/]+/*$"
  if uv.fs_stat(path) then
    return true
  elseif parent then
    local ok, why = make_folder(parent)
    if not ok then
      return nil, why
    end
  end
  return uv.fs_mkdir(path, FOLDER_MODE)
end

-- Whole or not at all: a compiler that runs meanwhile sees the old file or the new one.
local function write_file(path, text)
  local temporary = path .. ".new"
  local fd, why = uv.fs_open(temporary, "w", FILE_MODE)
  if not fd then
    return nil, why
  end
  local written
  written, why = uv.fs_write(fd, text, 0)
  uv.fs_close(fd)
  if written ~= #text then
    uv.fs_unlink(temporary)
    return nil, why or "the disk is full"
  end
  return uv.fs_rename(temporary, path)
end

-- The names of files that were generated once, and are no part of the list; by name.
local function outdated(folder, list, is_own)
  local names, current = {}, {}
  for _, file in ipairs(list) do
    current[file.name] = true
  end
  local scan = is_own and uv.fs_scandir(folder)
  while scan do
    local name, kind = uv.fs_scandir_next(scan)
    if not name then
      break
    elseif kind == "file" and not current[name] and is_own(name, read(folder .. "/" .. name) or "") then
      names[#names + 1] = name
    end
  end
  table.sort(names)
  return names
end

local function remove_outdated(folder, list, is_own)
  for _, name in ipairs(outdated(folder, list, is_own)) do
    local path = folder .. "/" .. name
    local ok, why = uv.fs_unlink(path)
    if not ok then
      return ("cannot remove '%s', which is of no task any more: %s"):format(path, why)
    end
    output.line("removed %s", path)
  end
end

--- Writes those that differ from what is there, and says which. Then removes what was generated once and is no part of
--- the list; whatever else lies in the folder stays.
---@param folder string
---@param list mooncrew.cli.GeneratedFile[]
---@param is_own (fun(name: string, content: string): boolean)|nil  whether a file was generated; nil: none is removed
---@return nil, string|nil message
function M.write(folder, list, is_own)
  local ok, why = make_folder(folder)
  if not ok then
    return nil, ("cannot make the folder '%s': %s"):format(folder, why)
  end
  for _, file in ipairs(list) do
    local path = folder .. "/" .. file.name
    local same = read(path) == file.text
    if not same then
      ok, why = write_file(path, file.text)
      if not ok then
        return nil, ("cannot write '%s': %s"):format(path, why)
      end
    end
    output.line("%s %s", same and "unchanged" or "wrote", path)
  end
  return nil, remove_outdated(folder, list, is_own)
end

--- Fails unless all of them are there as they would be written, and no others that were generated.
---@param folder string
---@param list mooncrew.cli.GeneratedFile[]
---@param command string  that writes them
---@param is_own (fun(name: string, content: string): boolean)|nil
---@return table|nil outcome
function M.check(folder, list, command, is_own)
  local differing = 0
  for _, file in ipairs(list) do
    local path = folder .. "/" .. file.name
    local text = read(path)
    if text ~= file.text then
      differing = differing + 1
      output.complain(("%s %s: run `%s`"):format(path, text and "is not what the scripts say" or "is missing", command))
    end
  end
  for _, name in ipairs(outdated(folder, list, is_own)) do
    differing = differing + 1
    output.complain(("%s/%s is of no task any more: run `%s`"):format(folder, name, command))
  end
  return differing > 0 and { exit_code = FAILED } or nil
end

return M

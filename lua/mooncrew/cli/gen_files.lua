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

--- Writes those that differ from what is there, and says which.
---@param folder string
---@param list mooncrew.cli.GeneratedFile[]
---@return nil, string|nil message
function M.write(folder, list)
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
end

--- Fails unless all of them are there as they would be written.
---@param folder string
---@param list mooncrew.cli.GeneratedFile[]
---@param command string  that writes them
---@return table|nil outcome
function M.check(folder, list, command)
  local differing = 0
  for _, file in ipairs(list) do
    local path = folder .. "/" .. file.name
    local text = read(path)
    if text ~= file.text then
      differing = differing + 1
      output.complain(("%s %s: run `%s`"):format(path, text and "is not what the scripts say" or "is missing", command))
    end
  end
  return differing > 0 and { exit_code = FAILED } or nil
end

return M

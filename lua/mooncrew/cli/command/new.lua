-- mooncrew new: a script for a new task type, and its spec.

local flags = require "mooncrew.cli.flags"
local loading = require "mooncrew.cli.loading"
local output = require "mooncrew.cli.output"
local script_name = require "mooncrew.cli.script_name"
local settings = require "mooncrew.cli.settings"
local skeleton = require "mooncrew.cli.skeleton"
local uv = require "luv"

local M = { name = "new", summary = "write a script for a new task type, and its spec" }

local SPEC_FOLDER = "spec"
local FOLDER_MODE, FILE_MODE = 511, 438 -- 0777 and 0666, less what the umask takes away

function M.describe(parser)
  parser:description("Writes a script that registers the task type, and a spec that performs it; both work as they "
    .. "are: try `mooncrew test`. Files that exist are not touched.")
  parser:argument("TYPE"):target("type"):description('such as email:welcome; "image:*" serves all that begin with it')
  flags.add(parser, { "scripts" })
end

local function make_folder(path)
  local parent = path:match "^(.+)/[^/]+/*$"
  if uv.fs_stat(path) or not parent then
    uv.fs_mkdir(path, FOLDER_MODE)
  else
    make_folder(parent)
    uv.fs_mkdir(path, FOLDER_MODE)
  end
end

-- Writes a file that does not exist yet.
local function write(path, text)
  make_folder(path:match "^(.*)/")
  local file, why = uv.fs_open(path, "wx", FILE_MODE)
  if not file then
    return nil, ("cannot write %s: %s"):format(path, why)
  end
  local written
  written, why = uv.fs_write(file, text, 0)
  uv.fs_close(file)
  if written ~= #text then
    uv.fs_unlink(path)
    return nil, ("cannot write %s: %s"):format(path, why or "the disk is full")
  end
  return true
end

-- Where the type is registered already, as far as the scripts load: two of them would not load together.
local function registered_at(type, folder)
  for _, definition in ipairs(uv.fs_stat(folder) and loading.load(folder) or {}) do
    if definition.type == type then
      return definition.source
    end
  end
end

local function refusal(type, folder, paths)
  for _, path in ipairs(paths) do
    if uv.fs_lstat(path) then
      return ("%s exists already, and is not touched: move it away, or choose another type than %s"):format(path,
        output.quoted(type))
    end
  end
  local source = registered_at(type, folder)
  return source and ("task %s is registered already, at %s"):format(output.quoted(type), source)
end

local function write_both(paths, texts)
  local ok, message = write(paths[1], texts[1])
  if not ok then
    return nil, message
  end
  ok, message = write(paths[2], texts[2])
  if not ok then
    uv.fs_unlink(paths[1])
    return nil, message
  end
  return true
end

function M.run(given)
  local name, message = script_name(given.type)
  if not name then
    return nil, message, "USAGE"
  end
  local resolved, code
  resolved, message, code = settings.resolve(given)
  if not resolved then
    return nil, message, code
  end
  local folder = resolved.values.scripts.text:gsub("(.)/+$", "%1")
  local paths = { ("%s/%s.lua"):format(folder, name), ("%s/%s_spec.lua"):format(SPEC_FOLDER, name) }
  message = refusal(given.type, folder, paths)
  local written = not message
  if written then
    written, message = write_both(paths, { skeleton.texts(given.type, paths[1]) })
  end
  if not written then
    return nil, message, "FAILED"
  end
  output.line("wrote %s", paths[1])
  output.line("wrote %s", paths[2])
  output.line("now: mooncrew test")
end

return M

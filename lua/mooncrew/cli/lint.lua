-- Linting scripts with luacheck, where it is installed.

local scripts = require "mooncrew.scripts"

local M = {}

local function quote(text)
  return "'" .. text:gsub("'", "'\\''") .. "'"
end

-- Without a configuration of the project's own, scripts are LuaJIT and lines may be long.
local function command(paths)
  local words = { "luacheck --formatter plain --codes --no-color" }
  local config = io.open(".luacheckrc", "rb")
  if config then
    config:close()
  else
    words[#words + 1] = "--std luajit --no-max-line-length --no-unused-args"
  end
  words[#words + 1] = "--"
  for _, path in ipairs(paths) do
    words[#words + 1] = quote(path)
  end
  return table.concat(words, " ") .. " 2>&1"
end

local function output_of(shell_command)
  local pipe = assert(io.popen(shell_command))
  local text = pipe:read("*a")
  pipe:close()
  return text
end

--- What luacheck says of the scripts, one line each, beginning with file and line.
---@param folder string
---@return string[] warnings empty when all is well; one that says so when luacheck is not installed
function M.run(folder)
  if output_of("command -v luacheck 2>/dev/null") == "" then
    return { "the scripts were not linted: luacheck is not installed (apt-get install lua-check)" }
  end
  local paths, warnings = scripts.find(folder), {}
  if paths and #paths > 0 then
    for line in output_of(command(paths)):gmatch("[^\n]+") do
      warnings[#warnings + 1] = line
    end
  end
  return warnings
end

return M

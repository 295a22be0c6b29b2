-- mooncrew version: this program and what it was built with.

local uv = require "luv"
local native = require "mooncrew.native_cli"
local output = require "mooncrew.cli.output"

local M = { name = "version", summary = "print the versions of mooncrew and of what it is built with" }

function M.describe(parser)
  parser:flag("--json"):description("print JSON")
end

local function versions()
  local list = native.versions()
  table.insert(list, 2, { name = "LuaJIT", version = jit.version:gsub("^LuaJIT ", "") .. "" })
  table.insert(list, 3, { name = "libuv", version = uv.version_string() })
  return list
end

function M.run(given)
  local by_name, rows = {}, {}
  for i, part in ipairs(versions()) do
    by_name[part.name] = part.version
    rows[i] = part.name .. " " .. part.version
  end
  if given.json then
    output.json(by_name)
  else
    output.line("%s (%s)", table.remove(rows, 1), table.concat(rows, ", "))
  end
end

return M

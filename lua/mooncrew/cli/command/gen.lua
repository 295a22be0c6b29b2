-- mooncrew gen: writes types of the registered tasks for those who enqueue them in another language.

local files = require "mooncrew.cli.gen_files"
local flags = require "mooncrew.cli.flags"
local loading = require "mooncrew.cli.loading"
local output = require "mooncrew.cli.output"
local settings = require "mooncrew.cli.settings"
local tasks_of = require "mooncrew.gen.tasks"

local TARGETS = {
  require "mooncrew.gen.c",
  require "mooncrew.gen.go",
  require "mooncrew.gen.jsonschema",
  require "mooncrew.gen.lua_types",
}

-- What a target may be told beside where to write: option → its description, its default and what it must look like.
local OPTIONS = {
  name = { "what the files are called, without their ending", "tasks", "^[%w_.-]+$", "a file name" },
  prefix = { "what all names in C begin with", "", "^[%a_]?[%w_]*$", "the beginning of a C name" },
  package = { "the Go package", "tasks", "^[%a_][%w_]*$", "a Go package name" },
}

local USED = { c = { "name", "prefix" }, go = { "name", "package" }, jsonschema = {}, ["lua-types"] = { "name" } }

local function describe(target)
  return function(parser)
    parser:description(("Loads the scripts as `mooncrew check` does, and writes %s. The same scripts give the same "
      .. "bytes."):format(target.summary))
    parser:option("--out"):argname("DIR"):default("."):description("the folder to write to, which is made if it is "
      .. "missing; - prints everything")
    for _, name in ipairs(USED[target.name]) do
      parser:option("--" .. name):argname(name:upper()):default(OPTIONS[name][2]):description(OPTIONS[name][1])
        :show_default(OPTIONS[name][2] ~= "")
    end
    parser:flag("--check"):description("write nothing: fail if the files are not as they would be written")
    flags.add(parser, { "scripts" })
  end
end

local function check_options(target, given)
  for _, name in ipairs(USED[target.name]) do
    local option = OPTIONS[name]
    if not given[name]:find(option[3]) then
      return ("--%s: '%s' is not %s"):format(name, given[name], option[4])
    end
  end
  if given.out == "-" and given.check then
    return "--check compares files: use it with --out DIR"
  end
end

local function load(given)
  local resolved, message, code = settings.resolve(given)
  if not resolved then
    return nil, message, code
  end
  local definitions, messages
  definitions, message, messages = loading.load(resolved.values.scripts.text, resolved:load_limit())
  if not definitions then
    for i = 2, #messages do
      output.complain(messages[i])
    end
    return nil, message, "INVALID_SCRIPT"
  elseif #definitions == 0 then
    return nil, ("the scripts of %s register no task"):format(resolved.values.scripts.text)
  end
  return tasks_of(definitions)
end

local function run(target)
  return function(given)
    local wrong = check_options(target, given)
    if wrong then
      return nil, wrong, "USAGE"
    end
    local tasks, message, code = load(given)
    if not tasks then
      return nil, message, code
    end
    local list = target.files(tasks, given)
    if given.out == "-" then
      return files.print(list)
    elseif given.check then
      return files.check(given.out, list, ("mooncrew gen %s --out %s"):format(target.name, given.out),
        target.is_own)
    end
    return files.write(given.out, list, target.is_own)
  end
end

local M = { name = "gen", summary = "write types for producers in C, Go and Lua, and JSON Schema", commands = {} }

for i, target in ipairs(TARGETS) do
  M.commands[i] = { name = target.name, summary = "write " .. target.summary, describe = describe(target),
    run = run(target) }
end

return M

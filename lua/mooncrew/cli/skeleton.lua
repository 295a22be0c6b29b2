-- A new script and its spec, as text: a task that greets, to be made into what is wanted.

local M = {}

local SCRIPT = [[
-- $TITLE: say here what the task does.

local crew = require "mooncrew"
local schema = crew.schema

return crew.task($TYPE, {
  max_retry = 5,
  timeout = "30s",
  payload = schema.object {
    name = schema.string { min_length = 1, max_length = 100 },
  },
  perform = function(payload, task)
    local greeting = "Hello, " .. payload.name
    task.log:info("greeted", { name = payload.name })
    return { greeting = greeting } -- the result
  end,
})
]]

local SPEC = [[
-- $TITLE: run me with `mooncrew test`.

local testing = require "mooncrew.testing"

describe($TYPE, function()
  local definition

  before_each(function()
    definition = testing.load $SCRIPT
  end)

  it("greets by name", function()
    local run = testing.perform(definition, { name = "Ada" }$OPTIONS)
    assert.done(run, { greeting = "Hello, Ada" })
    assert.logged(run, "greeted", { name = "Ada" })
  end)

  it("is archived when its payload does not fit", function()
    local run = testing.perform(definition, { name = "" }$OPTIONS)
    assert.archived(run, "payload.name")
  end)
end)
]]

local function fill(template, values)
  return (template:gsub("%$(%u+)", values))
end

local function quoted(text)
  return '"' .. text:gsub('[\\"]', "\\%0") .. '"'
end

--- The texts of both files.
---@param type string  the task type, without control characters
---@param script_path string
---@return string script, string spec
function M.texts(type, script_path)
  local prefix = type:match "^(.*)%*$"
  local values = {
    TITLE = type, TYPE = quoted(type), SCRIPT = quoted(script_path),
    OPTIONS = prefix and (", { type = %s }"):format(quoted(prefix .. "example")) or "",
  }
  return fill(SCRIPT, values), fill(SPEC, values)
end

return M

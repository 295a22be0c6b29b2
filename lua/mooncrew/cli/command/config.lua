-- mooncrew config: every option's value, and where it came from. Secrets stay hidden.

local native = require "mooncrew.native_cli"
local flags = require "mooncrew.cli.flags"
local output = require "mooncrew.cli.output"
local pools_text = require "mooncrew.cli.pools_text"
local queues_text = require "mooncrew.cli.queues_text"
local settings = require "mooncrew.cli.settings"

local M = { name = "config", summary = "print the configuration and where each value came from" }

function M.describe(parser)
  parser:flag("--json"):description("print JSON")
  flags.add(parser)
end

-- How a program wants to read a value of each type; durations stay text.
local TO_JSON = {
  integer = tonumber,
  boolean = function(text) return text == "true" end,
  queues = queues_text.read,
  pools = pools_text.read,
}

local function print_json(resolved)
  local result = {}
  for _, option in ipairs(native.options()) do
    local text = resolved:shown(option)
    local convert = TO_JSON[option.type]
    result[option.name] = { source = resolved.values[option.name].source }
    if convert then
      result[option.name].value = convert(text)
    else
      result[option.name].value = text
    end
  end
  output.json(result)
end

local function print_table(resolved)
  local rows = {}
  for i, option in ipairs(native.options()) do
    rows[i] = { option.name, resolved:shown(option), resolved.values[option.name].source }
  end
  output.write(output.grid({ "OPTION", "VALUE", "FROM" }, rows))
end

function M.run(given)
  local resolved, message, code = settings.resolve(given)
  if not resolved then
    return nil, message, code
  end
  local show = given.json and print_json or print_table
  show(resolved)
end

return M

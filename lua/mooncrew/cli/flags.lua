-- Flags made from the table of options: `--shutdown-timeout` for `shutdown_timeout`.

local native = require "mooncrew.native_cli"

local M = {}

local ARGUMENT_NAMES = {
  text = "TEXT", integer = "N", duration = "DURATION", size = "SIZE", queues = "NAME=N,...", choice = "WORD",
  pools = "'NAME: workers=N ...'",
}

local function flag_name(option)
  return "--" .. option.name:gsub("_", "-")
end

local function negated(option)
  return "--no-" .. flag_name(option):sub(3)
end

-- The target keeps flags of options apart from a command's own.
local function target(option)
  return "option_" .. option.name
end

local function add_boolean(parser, option)
  parser:mutex(
    parser:flag(flag_name(option)):description(option.doc):target(target(option)):action("store_true"),
    parser:flag(negated(option)):description("the opposite"):target(target(option))
      :action("store_false"))
end

local function add_value(parser, option)
  local doc = ("%s (default: %s)"):format(option.doc, option.default)
  if option.choices then
    doc = ("%s: %s (default: %s)"):format(option.doc, option.choices:gsub(" ", ", "), option.default)
  end
  parser:option(flag_name(option)):description(doc):target(target(option)):argname(ARGUMENT_NAMES[option.type])
end

local function add_queue(parser)
  parser:option("-q"):description("a queue to serve, name or name=weight; may be repeated"):target("queue_list")
    :argname("NAME=N"):count("*")
end

--- Adds --config and the flags of the options.
---@param parser table a command of argparse
---@param wanted? string[] names of options; nil: all
---@param unwanted? string the name of an option to leave out
function M.add(parser, wanted, unwanted)
  parser:option("--config"):argname("FILE"):target("config_file")
    :description("the configuration file (default: mooncrew.lua, if there is one); paths in it are relative to the "
      .. "current folder")
  local set = {}
  for _, name in ipairs(wanted or {}) do
    set[name] = true
  end
  for _, option in ipairs(native.options()) do
    if (not wanted or set[option.name]) and option.name ~= unwanted then
      local add = option.type == "boolean" and add_boolean or add_value
      add(parser, option)
      if option.type == "queues" then
        add_queue(parser)
      end
    end
  end
end

--- The values that were given as flags, as a layer for `mooncrew.cli.settings`.
---@param given table what argparse made of the arguments
---@return mooncrew.cli.Entry[]|nil layer
---@return string? message
function M.layer(given)
  local entries = {}
  for _, option in ipairs(native.options()) do
    local value = given[target(option)]
    if value ~= nil then
      local flag = value == false and negated(option) or flag_name(option)
      entries[#entries + 1] = { name = option.name, text = tostring(value), source = flag }
    end
  end
  if given.queue_list and #given.queue_list > 0 then
    if given.option_queues then
      return nil, "use either -q or --queues"
    end
    entries[#entries + 1] = { name = "queues", text = table.concat(given.queue_list, ","), source = "-q" }
  end
  return entries
end

return M

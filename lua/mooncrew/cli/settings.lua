-- The configuration: defaults, under the file, under the environment, under the flags.

local uv = require "luv"
local duration = require "mooncrew.duration"
local native = require "mooncrew.native_cli"
local nearest = require "mooncrew.nearest"
local config_file = require "mooncrew.cli.config_file"
local flags = require "mooncrew.cli.flags"
local private_redis = require "mooncrew.cli.private_redis"

local M = {}

local PREFIX = "MOONCREW_"
local DEFAULT_FILE = "mooncrew.lua"

---@class mooncrew.cli.Entry one value and where it came from
---@field name string
---@field text string
---@field source string what `mooncrew config` shows: "mooncrew.lua", "MOONCREW_WORKERS", "--workers"
---@field place string? what an error begins with, where it says more than the source: "mooncrew.lua:4"

---@class mooncrew.cli.Settings
---@field config userdata for the supervisor
---@field values table<string, { text: string, source: string }> by the name of the option
local Settings = {}
Settings.__index = Settings

--- The values of the environment. An empty variable counts as not set. A name that is nearly an option's is an error;
--- other names with our prefix are let be, because container platforms make some (`MOONCREW_PORT`, …).
---@param environment table<string, string>
---@return mooncrew.cli.Entry[]|nil layer
---@return string? message
function M.environment_layer(environment)
  local names, known, entries = {}, { [PREFIX .. "CONFIG"] = true, [PREFIX .. "LUA_PATH"] = true }, {}
  for _, option in ipairs(native.options()) do
    local name = PREFIX .. option.name:upper()
    names[#names + 1], known[name] = option.name, true
    if environment[name] and environment[name] ~= "" then
      entries[#entries + 1] = { name = option.name, text = environment[name], source = name }
    end
  end
  for name in pairs(environment) do
    local meant = not known[name] and name:match("^" .. PREFIX .. "(.+)")
    meant = meant and nearest(meant:lower(), names)
    if meant then
      return nil, ("unknown variable %s in the environment: did you mean %s%s?"):format(name, PREFIX, meant:upper())
    end
  end
  return entries
end

-- The file's layer: that of the file that was asked for, which must exist, or of mooncrew.lua, if it does.
local function file_layer(asked)
  if not asked and not uv.fs_stat(DEFAULT_FILE) then
    return {}
  end
  return config_file.load(asked or DEFAULT_FILE, native.options())
end

local function check_redis(text)
  local shown, why = native.redis_url(text)
  return shown, why and "redis: " .. why
end

-- Errors begin with the option's name, which the name of a variable or a flag says already.
local function place_error(entry, message)
  if entry.place then
    return ("%s: %s"):format(entry.place, message)
  end
  local prefix = entry.name .. ": "
  return ("%s: %s"):format(entry.source, message:sub(1, #prefix) == prefix and message:sub(#prefix + 1) or message)
end

--- Puts a layer over what holds so far.
---@param layer mooncrew.cli.Entry[]
---@return true|nil
---@return string? message
function Settings:apply(layer)
  for _, entry in ipairs(layer) do
    local ok, message = self.config:set(entry.name, entry.text)
    if ok and entry.name == "redis" then
      ok, message = check_redis(entry.text)
    end
    if not ok then
      return nil, place_error(entry, message)
    end
    self.values[entry.name] = { text = entry.text, source = entry.source }
  end
  return true
end

local function defaults()
  local self = setmetatable({ config = native.config(), values = {} }, Settings)
  for _, option in ipairs(native.options()) do
    self.values[option.name] = { text = option.default, source = "default" }
  end
  return self
end

---@return string url may hold a password
function Settings:redis()
  return self.values.redis.text
end

---@return string url without user and password
function Settings:redis_shown()
  return assert(native.redis_url(self:redis()))
end

--- How long scripts may take to load in a command, in seconds: what was set for workers, else nil.
---@return number|nil
function Settings:load_limit()
  local given = self.values.load_timeout
  return given.source ~= "default" and assert(duration.seconds(given.text)) or nil
end

--- A value as `mooncrew config` prints it: as it was understood, not as it was written.
---@param option table
---@return string
function Settings:shown(option)
  return option.secret and self:redis_shown() or self.config:get(option.name)
end

--- Puts a Redis in the place of whatever is configured.
---@param url string
---@param source string
function Settings:use_redis(url, source)
  return self:apply { { name = "redis", text = url, source = source } }
end

local function apply_made(self, make, argument)
  local layer, message = make(argument)
  if not layer then
    return nil, message
  end
  return self:apply(layer)
end

--- The configuration that holds for a command.
---@param given table what argparse made of the arguments
---@param environment? table<string, string> instead of the process's
---@return mooncrew.cli.Settings|nil
---@return string? message
---@return string? code USAGE when a flag is wrong, else INVALID_CONFIG
function M.resolve(given, environment)
  environment = environment or uv.os_environ()
  local self = defaults()
  local variable = environment.MOONCREW_CONFIG
  local file = given.config_file or (variable ~= "" and variable or nil)
  local ok, message = apply_made(self, file_layer, file)
  if ok then
    ok, message = apply_made(self, M.environment_layer, environment)
  end
  if not ok then
    return nil, message, "INVALID_CONFIG"
  end
  ok, message = apply_made(self, flags.layer, given)
  if not ok then
    return nil, message, "USAGE"
  end
  local url = self.values.redis.source == "default" and private_redis.running()
  if url then
    assert(self:use_redis(url, private_redis.SOURCE))
  end
  return self
end

return M

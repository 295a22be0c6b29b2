-- The configuration file.

local config_file = require "mooncrew.cli.config_file"
local native = require "mooncrew.native_cli"

describe("mooncrew.cli.config_file", function()
  local path

  before_each(function()
    path = os.tmpname()
  end)

  after_each(function()
    os.remove(path)
  end)

  local function load(source)
    local file = assert(io.open(path, "wb"))
    file:write(source)
    file:close()
    local entries, message = config_file.load(path, native.options())
    if not entries then
      return nil, (message:gsub(path, "FILE", 1, true))
    end
    local texts = {}
    for _, entry in ipairs(entries) do
      assert.equal(path, entry.source)
      texts[entry.name] = entry.text
    end
    return texts
  end

  local function refuses(expected, source)
    local texts, message = load(source)
    assert.is_nil(texts)
    assert.equal(expected, (message:gsub("^" .. path:gsub("%p", "%%%0"), "FILE")))
  end

  it("gives the value of each type as text", function()
    assert.same({
      redis = "redis://h", workers = "3", strict = "true", shutdown_timeout = "8.5", kill_grace = "5s",
      queues = "critical=6,low=1", log_format = "json", memory_limit = "268435456",
    }, load [[return {
      redis = "redis://h", workers = 3, strict = true, shutdown_timeout = 8.5, kill_grace = "5s",
      queues = { low = 1, critical = 6 }, log_format = "json", memory_limit = 256 * 1024 * 1024,
    }]])
  end)

  it("takes queues as a list too", function()
    assert.same({ queues = "a=1,b=1" }, load 'return { queues = { "b", "a" } }')
  end)

  it("has the libraries for computing a value, and the environment", function()
    assert.same({ workers = "4", scripts = "/nowhere", log_level = "info" }, load [[
      local half = math.floor(9 / 2)
      return {
        workers = half, log_level = string.lower "INFO",
        scripts = table.concat { os.getenv "MOONCREW_SURELY_NOT_SET" or "/nowhere" },
      }]])
  end)

  it("leaves the libraries of the program alone", function()
    load "string.format = nil; table.sort = nil; return {}"
    assert.is_function(string.format)
    assert.is_function(table.sort)
  end)

  it("names file and line of a syntax error", function()
    refuses("FILE:2: unexpected symbol near '='", "return {\n  workers = = 1,\n}")
  end)

  it("names file and line of an error while it runs", function()
    refuses("FILE:2: attempt to perform arithmetic on local 'x' (a nil value)", "local x\nreturn { workers = x + 1 }")
    refuses("FILE:1: there is no 'io' here", 'io.open("x")\nreturn {}')
  end)

  it("tells where a value that stands outside of the table belongs", function()
    refuses("FILE:1: 'workers' must stand in the table that the file returns: return { workers = … }", "workers = 3")
  end)

  it("names the line of a value of the wrong type", function()
    refuses("FILE:3: workers: must be a whole number, not a table", "return {\n  -- workers = 1\n  workers = {},\n}")
    refuses('FILE:1: kill_grace: must be a duration such as "8s", or seconds, not a boolean',
      "return { kill_grace = true }")
    refuses("FILE:1: scripts: must be a text, not a number", "return { scripts = 1 }")
    refuses("FILE:1: queues: the weight of queue 'a' must be a whole number", 'return { queues = { a = "x" } }')
    refuses("FILE:1: queues: must name at least one queue", "return { queues = {} }")
  end)

  it("keeps an unknown name and its line for the hint to come", function()
    load "return {\n worker = 3 }"
    local entries = assert(config_file.load(path, native.options()))
    assert.same({ { name = "worker", text = "3", source = path, place = path .. ":2" } }, entries)
  end)

  it("wants a table", function()
    refuses("FILE: must return a table: return { workers = 2, … }", "return 3")
    refuses("FILE: entry [1] has no name: write name = value", "return { 3 }")
  end)

  it("names a file that is not there", function()
    local entries, message = config_file.load("/nonexistent/mooncrew.lua", native.options())
    assert.is_nil(entries)
    assert.equal("/nonexistent/mooncrew.lua: No such file or directory", message)
  end)
end)

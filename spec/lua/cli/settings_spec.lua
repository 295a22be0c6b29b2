-- Merging the configuration: defaults, file, environment, flags.

local uv = require "luv"
local native = require "mooncrew.native_cli"
local settings = require "mooncrew.cli.settings"

describe("mooncrew.cli.settings", function()
  local folder, before

  before_each(function()
    before = uv.cwd()
    folder = assert(uv.fs_mkdtemp("/tmp/mooncrew-spec-XXXXXX"))
    uv.chdir(folder)
  end)

  after_each(function()
    uv.chdir(before)
    os.remove(folder .. "/mooncrew.lua")
    os.remove(folder .. "/other.lua")
    assert(uv.fs_rmdir(folder))
  end)

  local function write(name, source)
    local file = assert(io.open(folder .. "/" .. name, "wb"))
    file:write(source)
    file:close()
  end

  local function value_and_source(resolved, name)
    return resolved.values[name].text .. " from " .. resolved.values[name].source
  end

  local function refuses(message, expected, given, environment)
    local resolved, why, code = settings.resolve(given, environment or {})
    assert.is_nil(resolved)
    assert.equal(message, why)
    assert.equal(expected, code)
  end

  it("has a default for every option", function()
    local resolved = assert(settings.resolve({}, {}))
    for _, option in ipairs(native.options()) do
      assert.same({ text = option.default, source = "default" }, resolved.values[option.name])
    end
  end)

  it("puts the file over defaults, the environment over the file, flags over the environment", function()
    write("mooncrew.lua", "return { workers = 3, concurrency = 30, max_crashes = 4 }")
    local resolved = assert(settings.resolve({ option_workers = "5" },
      { MOONCREW_WORKERS = "4", MOONCREW_CONCURRENCY = "40" }))
    assert.equal("5 from --workers", value_and_source(resolved, "workers"))
    assert.equal("40 from MOONCREW_CONCURRENCY", value_and_source(resolved, "concurrency"))
    assert.equal("4 from mooncrew.lua", value_and_source(resolved, "max_crashes"))
    assert.equal("32 from default", value_and_source(resolved, "prefetch"))
  end)

  it("reads another file when one is named, by flag before variable", function()
    write("mooncrew.lua", "return { workers = 3 }")
    write("other.lua", "return { workers = 7 }")
    local by_flag = assert(settings.resolve({ config_file = "other.lua" }, { MOONCREW_CONFIG = "nowhere.lua" }))
    local by_variable = assert(settings.resolve({}, { MOONCREW_CONFIG = "other.lua" }))
    assert.equal("7 from other.lua", value_and_source(by_flag, "workers"))
    assert.equal("7 from other.lua", value_and_source(by_variable, "workers"))
  end)

  it("wants a file that was named to be there", function()
    refuses("nowhere.lua: No such file or directory", "INVALID_CONFIG", { config_file = "nowhere.lua" })
  end)

  it("joins the queues of -q, and refuses them beside --queues", function()
    local resolved = assert(settings.resolve({ queue_list = { "a=2", "b" } }, {}))
    assert.equal("a=2,b from -q", value_and_source(resolved, "queues"))
    refuses("use either -q or --queues", "USAGE", { queue_list = { "a" }, option_queues = "b" })
  end)

  it("tells a boolean flag from its opposite", function()
    local on = assert(settings.resolve({ option_strict = true }, {}))
    local off = assert(settings.resolve({ option_strict = false }, {}))
    assert.equal("true from --strict", value_and_source(on, "strict"))
    assert.equal("false from --no-strict", value_and_source(off, "strict"))
  end)

  it("says where a bad value came from; a bad flag is wrong usage", function()
    write("mooncrew.lua", "return {\n  workers = 0,\n}")
    refuses("mooncrew.lua:2: workers: must be a whole number from 1 to 256, not '0'", "INVALID_CONFIG", {})
    write("mooncrew.lua", "return {}")
    refuses("MOONCREW_WORKERS: must be a whole number from 1 to 256, not 'x'", "INVALID_CONFIG", {},
      { MOONCREW_WORKERS = "x" })
    refuses("--workers: must be a whole number from 1 to 256, not '0'", "USAGE", { option_workers = "0" })
    refuses("-q: queue 'a' is named twice", "USAGE", { queue_list = { "a", "a" } })
  end)

  it("refuses an unknown name in the file with the nearest known one", function()
    write("mooncrew.lua", "return {\n  worker = 3 }")
    refuses("mooncrew.lua:2: unknown option 'worker': did you mean 'workers'?", "INVALID_CONFIG", {})
  end)

  it("refuses a variable that is nearly an option's, and lets others be", function()
    refuses("unknown variable MOONCREW_CONCURENCY in the environment: did you mean MOONCREW_CONCURRENCY?",
      "INVALID_CONFIG", {},
      { MOONCREW_CONCURENCY = "3" })
    assert(settings.resolve({}, { MOONCREW_PORT = "1", MOONCREW_LUA_PATH = "x", MOONCREW_BUILD = "y", WORKER = "3" }))
  end)

  it("counts an empty variable as not set", function()
    local resolved = assert(settings.resolve({}, { MOONCREW_WORKERS = "", MOONCREW_CONFIG = "" }))
    assert.equal("2 from default", value_and_source(resolved, "workers"))
  end)

  it("checks the address of Redis", function()
    local resolved, message, code = settings.resolve({ option_redis = "http://me:hunter2@h" }, {})
    assert.is_nil(resolved)
    assert.equal("USAGE", code)
    assert.truthy(message:find("^%-%-redis: "))
    assert.falsy(message:find("hunter2", 1, true))
  end)

  it("shows the address of Redis without user and password", function()
    local resolved = assert(settings.resolve({}, { MOONCREW_REDIS = "redis://me:hunter2@h:7000/3" }))
    assert.equal("redis://me:hunter2@h:7000/3", resolved:redis())
    assert.equal("redis://h:7000/3", resolved:redis_shown())
    for _, option in ipairs(native.options()) do
      assert.falsy(resolved:shown(option):find("hunter2", 1, true))
    end
  end)
end)

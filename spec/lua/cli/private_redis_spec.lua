-- Where the private Redis of a folder lives, with a real redis-server.

local uv = require "luv"
local private_redis = require "mooncrew.cli.private_redis"

describe("mooncrew.cli.private_redis", function()
  local root, before, started, outside

  before_each(function()
    before = uv.cwd()
    root = assert(uv.fs_mkdtemp("/tmp/mooncrew-spec-XXXXXX"))
  end)

  -- It ends by the TERM, and its socket goes away with it.
  local function stop(redis)
    local socket = redis.url:gsub("^redis%+unix://", "")
    uv.kill(redis.pid, "sigterm")
    local watch, gone = uv.new_fs_poll(), false
    watch:start(socket, 20, function()
      gone = uv.fs_stat(socket) == nil
      watch:stop()
    end)
    uv.run()
    watch:close()
    uv.run()
    assert.is_true(gone)
  end

  after_each(function()
    if started then
      stop(started)
      started = nil
    end
    if outside then
      assert(uv.fs_rmdir(outside))
      outside = nil
    end
    uv.chdir(before)
    os.execute("rm -rf '" .. root .. "'")
  end)

  local function enter(path)
    assert(os.execute("mkdir -p '" .. path .. "'") == 0)
    uv.chdir(path)
  end

  it("puts the socket beside the data, closed to others, and finds it again", function()
    enter(root .. "/a b")
    assert.is_nil(private_redis.running())
    started = assert(private_redis.start())
    assert.equal("redis+unix://" .. root .. "/a%20b/.mooncrew/redis.sock", started.url)
    assert.equal(started.url, private_redis.running())
    assert.equal(tonumber("700", 8), uv.fs_stat(".mooncrew").mode % 512)
    assert.is_nil(started.folder)
    started.url = "redis+unix://" .. root .. "/a b/.mooncrew/redis.sock"
  end)

  it("puts the socket into a short folder when the path is too long", function()
    enter(root .. "/" .. ("long"):rep(30))
    started = assert(private_redis.start())
    local socket = started.url:match("^redis%+unix://(.*)$")
    assert.truthy(#socket <= 107)
    assert.truthy(socket:find("/mooncrew-" .. uv.getuid() .. "-", 1, true))
    assert.equal(started.url, private_redis.running())
    outside = socket:match("^(.*)/")
    assert.equal(outside, started.folder)
  end)

  it("refuses a second one for the same folder", function()
    enter(root)
    started = assert(private_redis.start())
    local second, message = private_redis.start()
    assert.is_nil(second)
    assert.equal("a private Redis already runs in .mooncrew: stop the other `mooncrew dev` first", message)
  end)

  it("refuses a file in the place of the folder", function()
    enter(root)
    assert(io.open(".mooncrew", "wb")):close()
    local redis, message = private_redis.start()
    assert.is_nil(redis)
    assert.equal(".mooncrew is in the way: it should be a folder", message)
  end)
end)

-- What `make install` puts in place is used as a stranger would: by pkg-config and a C compiler, by Lua 5.1 and LuaJIT.
local installation = require "installation"
local uv = require "luv"
local with_crew = require("support").with_crew

local make, sh = installation.make, installation.sh

local SAN = os.getenv "SAN" or ""

local function lines_of(text)
  local lines = {}
  for line in text:gmatch "[^\n]+" do
    lines[#lines + 1] = line
  end
  return lines
end

local PRODUCER = [[
local crew = require "mooncrew"
local schema = crew.schema
local mail = crew.task("mail:send", {
  queue = "low", payload = schema.object { to = schema.string {} }, perform = function() end,
})
local info = assert(mail:enqueue({ to = "ada" }, { process_in = "1h" }))
assert(info.state == "scheduled" and info.queue == "low")
local none, message, code = mail:enqueue { to = 5 }
assert(none == nil and code == "INVALID_PAYLOAD", message)
local client = assert(crew.client(arg[1], { timeout = "10s" }))
local results = client:enqueue_many { { "t", { 1, 2 } }, { mail, { to = "bob" } } }
assert(results[1].ok and results[2].ok)
client:close()
print("done")
]]

describe("an installed mooncrew", function()
  local prefix

  setup(function()
    prefix = assert(uv.fs_mkdtemp "/tmp/mooncrew-install-XXXXXX")
    make(prefix, { "PREFIX=" .. prefix })
  end)

  teardown(function()
    sh("/tmp", "rm -r " .. prefix)
  end)

  -- A producer under some Lua, with nothing but the installed files in reach.
  local function produces_under(interpreter)
    return with_crew(function(crew)
      local program = crew:file("producer.lua", PRODUCER)
      local text = sh(crew.folder, ("%s %s '%s'"):format(interpreter, program, crew.server:url()), {
        LUA_PATH = ("%s/share/lua/5.1/?.lua;%s/share/lua/5.1/?/init.lua;;"):format(prefix, prefix),
        LUA_CPATH = ("%s/lib/lua/5.1/?.so;;"):format(prefix),
        LD_PRELOAD = os.getenv "LD_PRELOAD" or "",
        MOONCREW_REDIS = crew.server:url(),
      })
      assert.equal("done\n", text)
      assert.equal(1, crew.redis:call("LLEN", "asynq:{default}:pending"))
      assert.equal(1, crew.redis:call("LLEN", "asynq:{low}:pending"))
      assert.equal(1, crew.redis:call("ZCARD", "asynq:{low}:scheduled"))
    end)
  end

  -- examples/enqueue.c, linked as pkg-config says, enqueues.
  local function example_runs(libraries)
    return with_crew(function(crew)
      local sanitize = SAN ~= "" and "-fsanitize=" .. SAN or ""
      local compile = "cc -Wall -Werror %s %s/examples/enqueue.c -o enqueue $(pkg-config --cflags mooncrew) %s"
      sh(crew.folder, compile:format(sanitize, uv.cwd(), libraries), { PKG_CONFIG_PATH = prefix .. "/lib/pkgconfig" })
      local text = sh(crew.folder, "./enqueue -q critical -r 3 mail:send '{\"to\":\"ada\"}'", {
        MOONCREW_REDIS = crew.server:url(), LD_LIBRARY_PATH = prefix .. "/lib",
      })
      local id = text:match "^(%x+%-[%x-]+) critical pending\n$"
      assert(id, text)
      assert.same({ id }, crew.redis:call("LRANGE", "asynq:{critical}:pending", "0", "-1"))
    end)
  end

  it("lets a C program link the shared library", example_runs "$(pkg-config --libs mooncrew)")

  it("lets a C program link the static library",
    example_runs "$(pkg-config --static --libs mooncrew | sed s/-lmooncrew/-l:libmooncrew.a/)")

  it("serves LuaJIT", produces_under "luajit")

  it("serves plain Lua 5.1", produces_under "lua5.1")

  it("has HTTP for tests of handlers, with libcurl loaded on demand", function()
    local text = sh("/tmp", ("luajit -e 'print(require(\"mooncrew.native_http\").turn(0))'; "
      .. "ldd %s/lib/lua/5.1/mooncrew/native_http.so"):format(prefix), {
      LUA_CPATH = ("%s/lib/lua/5.1/?.so;;"):format(prefix), LD_PRELOAD = os.getenv "LD_PRELOAD" or "",
    })
    assert.equal("0\n", text:match "^%d+\n")
    assert.is_nil(text:find("libcurl", 1, true))
  end)

  it("shows the names of mooncrew.h and no others", function()
    local declared = {}
    for line in io.lines "runtime/client/mooncrew.h" do
      declared[#declared + 1] = line:match "^MOONCREW_API.-(mooncrew_[%l_]+)%("
    end
    table.sort(declared)
    assert(#declared > 8)
    for _, command in ipairs { "nm -D --defined-only lib/libmooncrew.so", "nm -g --defined-only lib/libmooncrew.a" } do
      local shown = {}
      for _, line in ipairs(lines_of(sh(prefix, command))) do
        local name = line:match "^%x+ %u (%S+)$"
        if name and not name:find "^__odr_asan" then
          shown[#shown + 1] = name
        end
      end
      table.sort(shown)
      assert.same(declared, shown, command)
    end
  end)

  it("has the library under its three names", function()
    assert.equal("libmooncrew.so.0", uv.fs_readlink(prefix .. "/lib/libmooncrew.so"))
    assert.truthy(uv.fs_readlink(prefix .. "/lib/libmooncrew.so.0"):find "^libmooncrew%.so%.0%.%d+%.%d+$")
    assert.truthy(sh(prefix, "readelf -d lib/libmooncrew.so"):find("Library soname: [libmooncrew.so.0]", 1, true))
  end)

  it("runs without its source", function()
    assert.truthy(sh(prefix, "bin/mooncrew version"):find "^mooncrew %d+%.%d+%.%d+")
  end)

  it("can be staged for a package", function()
    local stage = assert(uv.fs_mkdtemp "/tmp/mooncrew-install-XXXXXX")
    finally(function() sh("/tmp", "rm -r " .. stage) end)
    make(stage, { "DESTDIR=" .. stage, "PREFIX=/usr" })
    assert.truthy(sh(stage, "cat usr/lib/pkgconfig/mooncrew.pc"):find("prefix=/usr\n", 1, true))
    assert.is_table(uv.fs_stat(stage .. "/usr/share/lua/5.1/mooncrew/json/encode.lua"))
    assert.is_nil(uv.fs_stat(stage .. "/usr/share/lua/5.1/mooncrew/native.so"))
  end)
end)

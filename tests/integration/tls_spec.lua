-- Redis over TLS: the node, the clients, the command line and handlers, and a server that is not to be trusted.
local Process = require "process"
local Proxy = require "proxy"
local certificates = require "certificates"
local uv = require "luv"
local wait = require "wait"
local with_crew = require("support").with_crew

local function free_port()
  local tcp = uv.new_tcp()
  assert(tcp:bind("127.0.0.1", 0))
  local port = tcp:getsockname().port
  tcp:close()
  return port
end

local folder = assert(uv.fs_mkdtemp "/tmp/mooncrew-test-XXXXXX")
local files, port, plain_port = certificates.make(folder), free_port(), free_port()

-- A Redis that speaks TLS and plainly, each on its port.
local TLS = {
  redis = { "--tls-port", port, "--port", plain_port, "--bind", "127.0.0.1", "--tls-cert-file", files.certificate,
    "--tls-key-file", files.key, "--tls-ca-cert-file", files.ca, "--tls-auth-clients", "optional",
    "--user", "bob", "on", ">hunter2", "~*", "&*", "+@all" },
}

-- The address; host and port are those of the server unless given.
local function url(host, at, ca)
  return ("rediss://bob:hunter2@%s:%d/0?ca=%s"):format(host or "127.0.0.1", at or port, ca or files.ca)
end

local T = [[ crew.task("t", { perform = function(_, task) note("ran", task.id) end }) ]]

local function wait_ran(crew, count)
  crew:wait_until(count .. " tasks have run", 30, function() return crew.notes:count "ran" == count end)
end

local function mooncrew(crew, address, ...)
  return Process.run(require("node").program, {
    args = { ... }, cwd = crew.folder, env = { MOONCREW_REDIS = address }, output = crew:file("command.out", ""),
  }, 30 * wait.patience)
end

local ENQUEUE = [[
local client = assert(require("mooncrew.client").open(arg[1]))
local info, message, code = client:enqueue("t", { text = ("x"):rep(300000) })
print(info and "accepted" or code, message)
]]

local function enqueue_from_lua(crew, address)
  local producer = crew:producer("producer", ENQUEUE, address)
  producer:wait(30 * wait.patience)
  return producer:text()
end

describe("Redis over TLS", function()
  teardown(function()
    os.execute("rm -r " .. folder)
  end)

  it("has a node run tasks, milliseconds after they came", with_crew(function(crew)
    crew:script("t.lua", T)
    local node = crew:run { redis = url() }
    local queue, took_ms = crew:queue(), {}
    queue:add { type = "t" }
    wait_ran(crew, 1)
    for i = 2, 21 do
      local pushed_ms = wait.now_ms()
      queue:add { type = "t" }
      wait_ran(crew, i)
      took_ms[#took_ms + 1] = crew.notes:all("ran")[i].at_ms - pushed_ms
    end
    table.sort(took_ms)
    assert.is_true(took_ms[10] < 100 * wait.patience, ("the median is %.1f ms"):format(took_ms[10]))
    print(("measured: picked up over TLS in %.1f ms, median of 20"):format(took_ms[10]))
    assert.equal(0, #node:log { event = "wake-ups refused" }, node:text())
    assert.equal(("rediss://127.0.0.1:%d/0"):format(port), node:log({ event = "connected to redis" })[1].redis)
    assert.is_nil(node:text():find("hunter2", 1, true))
    assert.is_nil(crew.redis:call("CLIENT", "LIST"):find("laddr=127.0.0.1:" .. plain_port, 1, true))
  end, TLS))

  it("comes back after its connections were cut, and loses no task", with_crew(function(crew)
    local proxy = Proxy.start(0, port)
    crew:finally(function() proxy:stop() end)
    crew:script("t.lua", [[ crew.task("t", { perform = function(_, task)
      crew.sleep(0.05)
      note("ran", task.id)
    end }) ]])
    local queue = crew:queue()
    local node = crew:run { redis = url(nil, proxy.port), concurrency = 5 }
    for round = 1, 3 do
      for _ = 1, 40 do queue:add { type = "t" } end
      crew:wait_until("the load is on", 30, function() return crew.notes:count "ran" > (round - 1) * 40 + 10 end)
      proxy:cut_all()
    end
    crew:wait_counts(queue, 60, { pending = 0, active = 0, lease = 0, retry = 0, archived = 0 })
    node:wait_log(20, { event = "redis is back" })
    assert.equal(0, queue:counts().failed)
  end, TLS))

  it("serves the command line and the client", with_crew(function(crew)
    local code, text = mooncrew(crew, url "localhost", "enqueue", "t", '{"a":1}')
    assert.equal(1, code, "this certificate is for the address alone")
    assert.matches("rediss://localhost:" .. port .. "/0: .*not for this host name", text)
    code, text = mooncrew(crew, url(), "enqueue", "t", '{"a":1}')
    assert.equal(0, code, text)
    assert.matches("^accepted", enqueue_from_lua(crew, url()))
    code, text = mooncrew(crew, url(), "stats")
    assert.equal(0, code, text)
    assert.equal(2, crew:queue():counts().pending)
  end, TLS))

  it("serves handlers, with a certificate of their own", with_crew(function(crew)
    crew:script("t.lua", ([=[
      local r = crew.redis.open(%q)
      crew.task("t", { perform = function()
        local large = ("0123456789abcdef"):rep(200000)
        assert(r:set("large", large))
        note("same", tostring(assert(r:get "large") == large))
        local own = crew.redis.open(%q, { exclusive = true })
        assert(own:multi())
        own:incr "n"
        note("own", own:exec()[1])
        note("stranger", select(2, crew.redis.open(%q):get "x"))
      end })
    ]=]):format(("%s&cert=%s&key=%s"):format(url(), files.certificate, files.key), url(),
      url(nil, nil, "/etc/none.pem")))
    crew:queue():add { type = "t", retry = 0 }
    crew:run()
    crew:wait_until("the handler has ended", 30, function() return crew.notes:count "stranger" == 1 end)
    assert.equal("true", crew.notes:all("same")[1][2])
    assert.equal("1", crew.notes:all("own")[1][2])
    assert.matches("/etc/none.pem, which the address names by ca=: No such file", crew.notes:all("stranger")[1][2])
  end, TLS))

  it("trusts no stranger, and says where, why and what to do, never the password", with_crew(function(crew)
    local here = ("rediss://127.0.0.1:%d/0: "):format(port)
    local stranger = ("rediss://bob:hunter2@127.0.0.1:%d"):format(port) -- the system knows no such authority
    crew:script("t.lua", T)
    local node = crew:run { redis = stranger }
    local away = node:wait_log(20, { event = "redis is away" })
    assert.matches(here .. "the server's certificate does not hold: .*%?ca=/path/ca.pem", away.detail)
    assert.is_nil(node:text():find("hunter2", 1, true))
    local text = enqueue_from_lua(crew, stranger)
    assert.matches("^UNAVAILABLE.*" .. here .. ".*%?ca=", text)
    assert.is_nil(text:find("hunter2", 1, true))
  end, TLS))

  it("trusts the authorities of SSL_CERT_FILE", with_crew(function(crew)
    crew:script("t.lua", T)
    crew:run({ redis = ("rediss://bob:hunter2@127.0.0.1:%d"):format(port) }, { env = { SSL_CERT_FILE = files.ca } })
    crew:queue():add { type = "t" }
    wait_ran(crew, 1)
  end, TLS))

  it("is refused with the nearest name when a setting is not known", with_crew(function(crew)
    local code, text = mooncrew(crew, (url():gsub("ca=", "cas=")), "stats")
    assert.not_equal(0, code)
    assert.matches("did you mean ca=%?", text)
    assert.is_nil(text:find("hunter2", 1, true))
  end, TLS))
end)

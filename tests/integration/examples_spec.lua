-- The scripts of scripts/ in real workers, with a real PostgreSQL, mail server, receiver of webhooks and program.
local Postgres = require "postgres_server"
local Process = require "process"
local read_file = require "read_file"
local Sink = require "smtp_sink"
local cjson = require "cjson"
local uv = require "luv"
local wait = require "wait"
local with_crew = require("support").with_crew

local ROOT = uv.cwd()
local LUAJIT = "/usr/bin/luajit"
local SCHEMA = "scripts/sql/schema.sql"
local SECRET = "the secret of both"
local POOLS = { io = { workers = 1, queues = { critical = 6, default = 3, low = 1 } },
  cpu = { workers = 1, concurrency = 2, queues = { images = 1 } } }

-- A node that serves the example scripts, or a copy of them.
local function run_examples(crew, env, scripts)
  env.APP_DATA = crew.folder .. "/data"
  return crew:run({ scripts = scripts or ROOT .. "/scripts", pools = POOLS }, { env = env })
end

local function wait_state(crew, queue, id, state, seconds)
  return crew:wait_until(("%s is %s"):format(id, state), seconds or 30, function()
    local task = queue:task(id)
    return task and task.state == state and task, task and task.state .. " " .. (task.message.error_msg or "")
  end)
end

-- ---- task:send_verify_email and digest:daily ----

local describe_or_not = Postgres.installed() and describe or function(name)
  describe(name, function() pending "needs PostgreSQL: apt-get install postgresql" end)
end

describe_or_not("an example with PostgreSQL and a mail server", function()
  local server

  setup(function()
    server = Postgres.new():start()
    server:psql(read_file(SCHEMA))
  end)
  teardown(function()
    server:destroy()
  end)

  -- A test with a mail server, and with a node that uses it and PostgreSQL.
  local function with_servers(test)
    return with_crew(function(crew)
      server:psql "TRUNCATE users, verifications, digest_pages"
      local sink = Sink.start(crew.folder)
      crew:finally(function() sink:stop() end)
      test(crew, sink, { APP_DATABASE_URL = server:url(), MOONCREW_SMTP_URL = sink.url })
    end)
  end

  local function add_user(username, email)
    server:psql(("INSERT INTO users VALUES ('%s', '%s Lovelace', '%s')"):format(username, username, email))
  end

  local function send_to(queue, username)
    return queue:add { type = "task:send_verify_email", payload = ('{"username":"%s"}'):format(username),
      retention = 3600 }
  end

  local function wait_mail(crew, sink)
    return crew:wait_until("a message is there", 30, function() return sink:take() end)
  end

  local function header(mail, name)
    for _, pair in ipairs(mail.headers) do
      if pair[1]:lower() == name then return pair[2] end
    end
  end

  -- The sink tells the parts in base64.
  local function link_is_in(crew, mail, secret)
    local _, text = Process.run("base64", { args = { "-d", crew:file("part", mail.parts[1].content) },
      output = crew:file("part.out", "") }, 10)
    assert.truthy(text:find("\nhttp://localhost:8080/verify/" .. secret, 1, true), text)
  end

  it("writes to a user of the table, with the secret of the table", with_servers(function(crew, sink, env)
    add_user("ada", "ada@example.org")
    local queue = crew:queue "critical"
    local id = send_to(queue, "ada")
    run_examples(crew, env)
    local task = wait_state(crew, queue, id, "completed")
    local mail = wait_mail(crew, sink)
    assert.same({}, mail.defects)
    assert.same({ { "ada Lovelace", "ada@example.org" } }, mail.to)
    assert.equal("<" .. cjson.decode(task.result).message_id .. ">", header(mail, "message-id"))
    link_is_in(crew, mail, server:psql "SELECT secret FROM verifications WHERE sent_at IS NOT NULL")
  end))

  -- A statement of the worker waits while there is a row in `hold`; then the message is sent, and that is not noted.
  it("whose worker is killed when the mail is out sends no second secret, and the same Message-ID",
    with_servers(function(crew, sink, env)
      server:psql [[
        CREATE TABLE hold (n int); INSERT INTO hold VALUES (1);
        CREATE FUNCTION wait_on_hold() RETURNS trigger LANGUAGE plpgsql AS $$
          BEGIN IF EXISTS (SELECT FROM hold) THEN PERFORM pg_sleep(600); END IF; RETURN NEW; END $$;
        CREATE TRIGGER hold BEFORE UPDATE OF sent_at ON verifications FOR EACH ROW EXECUTE FUNCTION wait_on_hold()]]
      crew:finally(function() server:psql "DROP FUNCTION wait_on_hold CASCADE; DROP TABLE hold" end)
      add_user("ada", "ada@example.org")
      local queue = crew:queue "critical"
      local id = send_to(queue, "ada")
      local node = run_examples(crew, env)
      local first = wait_mail(crew, sink)
      local secret = server:psql "SELECT secret FROM verifications WHERE sent_at IS NULL"
      server:psql "DELETE FROM hold"
      for _, pid in ipairs(node:workers()) do uv.kill(pid, "sigkill") end
      -- The server would hear late that its client is gone.
      server:psql [[SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE query LIKE 'UPDATE verifications SET sent_at%']]
      local task = wait_state(crew, queue, id, "completed")
      assert.equal(0, task.message.retried or 0)
      local second = wait_mail(crew, sink)
      assert.equal(header(first, "message-id"), header(second, "message-id"))
      assert.equal(first.parts[1].content, second.parts[1].content)
      link_is_in(crew, second, secret)
      assert.equal("1", server:psql "SELECT count(*) FROM verifications")
      assert.is_nil(sink:take())
    end))

  it("whose worker is killed while the mail server thinks uses its secret again",
    with_servers(function(crew, sink, env)
      add_user("ada", "slow@example.org") -- for whom the server has no answer
      local queue = crew:queue "critical"
      local id = send_to(queue, "ada")
      local node = run_examples(crew, env)
      local secret = crew:wait_until("a secret is stored", 30, function()
        local found = server:psql "SELECT secret FROM verifications"
        return found ~= "" and found
      end)
      server:psql "UPDATE users SET email = 'ada@example.org'"
      for _, pid in ipairs(node:workers()) do uv.kill(pid, "sigkill") end
      wait_state(crew, queue, id, "completed")
      link_is_in(crew, wait_mail(crew, sink), secret)
      assert.equal("1", server:psql "SELECT count(*) FROM verifications")
      assert.is_nil(sink:take())
    end))

  it("knows whom a link stands for, until it expires", with_servers(function(crew, sink, env)
    add_user("ada", "ada@example.org")
    local code, text = Process.run("cp", { args = { "-r", ROOT .. "/scripts/.", crew.scripts },
      output = crew:file("cp.out", "") }, 20)
    assert.equal(0, code, text)
    crew:script("page.lua", [[
      crew.task("page", { perform = function(payload)
        local store = require("lib.accounts").open()
        for name, secret in pairs { right = payload.secret, wrong = ("A"):rep(32), odd = "A'" } do
          note(name, store:verify(secret, os.time()))
        end
        note("late", store:verify(payload.secret, os.time() + 24 * 3600 + 60))
      end })
    ]])
    local queue = crew:queue "critical"
    local id = send_to(queue, "ada")
    run_examples(crew, env, crew.scripts)
    wait_state(crew, queue, id, "completed")
    wait_mail(crew, sink)
    queue:add { type = "page", payload = ('{"secret":"%s"}'):format(server:psql "SELECT secret FROM verifications") }
    crew:wait_until("the page has answered", 20, function() return crew.notes:count "late" == 1 end)
    assert.same({ "right", "ada" }, { unpack(crew.notes:all("right")[1]) })
    assert.same({ "late", "nil", "expired" }, { unpack(crew.notes:all("late")[1]) })
    for _, name in ipairs { "wrong", "odd" } do
      assert.same({ name, "nil", "not a secret of ours" }, { unpack(crew.notes:all(name)[1]) })
    end
  end))

  it("gives up on users and addresses that are not there, and tries again what may pass",
    with_servers(function(crew, sink, env)
      add_user("refused", "refused@example.org")
      add_user("later", "later@example.org")
      local queue = crew:queue "critical"
      local nobody, refused, later = send_to(queue, "nobody"), send_to(queue, "refused"), send_to(queue, "later")
      run_examples(crew, env)
      assert.matches("no user has the name nobody", wait_state(crew, queue, nobody, "archived").message.error_msg)
      assert.matches("550 5.1.1", wait_state(crew, queue, refused, "archived").message.error_msg)
      assert.matches("451 4.3.0", wait_state(crew, queue, later, "retry").message.error_msg)
      assert.is_nil(sink:take())
    end))

  it("sends no password without encryption, and shows none", with_servers(function(crew, sink, env)
    add_user("ada", "ada@example.org")
    env.MOONCREW_SMTP_URL = sink.url:gsub("//", "//ada:wr0ng@")
    local queue = crew:queue "critical"
    local id = send_to(queue, "ada")
    local node = run_examples(crew, env)
    wait_state(crew, queue, id, "retry")
    assert.is_nil(node:text():find("wr0ng", 1, true))
  end))

  it("gathers events and mails each user what happened, once", with_servers(function(crew, sink, env)
    add_user("ada", "ada@example.org")
    add_user("grace", "grace@example.org")
    local queue = crew:queue "low"
    local function event(name)
      return function(i)
        return { type = "digest:page", retention = 3600,
          payload = ('{"events":[{"at":%d,"text":"%s %d"}]}'):format(1700000000 + i, name, i) }
      end
    end
    queue:add_grouped("digest:ada", 40, event "ada")
    queue:add_grouped("digest:grace", 1, event "grace")
    env.APP_DIGEST_QUIET, env.APP_DIGEST_AT = "1s", "@every 2s"
    run_examples(crew, env)
    local by_subject = {}
    for _ = 1, 2 do
      local mail = wait_mail(crew, sink)
      by_subject[mail.subject] = mail
    end
    assert.same({ "ada@example.org" }, by_subject["40 things happened"].recipients)
    assert.same({ "grace@example.org" }, by_subject["One thing happened"].recipients)
    crew:wait_until("the pages are gone", 20, function()
      local count = server:psql "SELECT count(*) FROM digest_pages"
      return count == "0", count
    end)
    wait.hold("nothing more is mailed", 3, function() return not sink:take() end)
  end))
end)

-- ---- webhook:deliver ----

local function start_receiver(crew)
  local receiver = { log = crew:file("requests", "") }
  receiver.process = Process.start(LUAJIT, { args = { "demo/receiver.lua", receiver.log },
    env = crew:lua_environment(), output = crew:file("receiver.out", "") })
  crew:finally(function() receiver.process:kill() end)
  receiver.port = crew:wait_until("the receiver listens", 20, function()
    return receiver.process:text():match "^(%d+)\n"
  end)
  return receiver
end

-- The requests for a path so far.
local function requests_for(receiver, path)
  local found = {}
  for line in io.lines(receiver.log) do
    local request = cjson.decode(line)
    if request.path == path then found[#found + 1] = request end
  end
  return found
end

local function deliver_to(queue, receiver, path)
  return queue:add { type = "webhook:deliver", retention = 3600,
    payload = ('{"url":"http://127.0.0.1:%s%s","event":"moon.rose","data":{"n":[1,2]}}'):format(receiver.port, path) }
end

-- As anybody would who has the secret: with OpenSSL's command.
local function assert_signed(crew, request)
  local signed = crew:file("signed", request.headers["webhook-timestamp"] .. "." .. request.body)
  local _, text = Process.run("openssl", { args = { "dgst", "-sha256", "-hmac", SECRET, signed },
    output = crew:file("openssl.out", "") }, 20)
  assert.equal("v1=" .. text:match "(%x+)%s*$", request.headers["webhook-signature"])
end

describe("the example webhook:deliver", function()
  it("is signed, and comes again when Retry-After says, as the same event", with_crew(function(crew)
    local receiver, queue = start_receiver(crew), crew:queue()
    local busy, later = deliver_to(queue, receiver, "/busy"), deliver_to(queue, receiver, "/later")
    local node = run_examples(crew, { APP_WEBHOOK_SECRET = SECRET })
    for path, id in pairs { ["/busy"] = busy, ["/later"] = later } do
      assert.equal(1, wait_state(crew, queue, id, "completed").message.retried)
      local requests = requests_for(receiver, path)
      assert.same({ 503, 200 }, { requests[1].status, requests[2].status })
      local waited = requests[2].headers["webhook-timestamp"] - requests[1].headers["webhook-timestamp"]
      assert.is_true(waited >= (path == "/busy" and 1 or 2) and waited < 10, path .. " " .. waited)
      for _, request in ipairs(requests) do
        assert.equal(id, request.headers["idempotency-key"])
        assert.equal('{"data":{"n":[1,2]},"event":"moon.rose"}', request.body)
        assert_signed(crew, request)
      end
    end
    assert.is_nil(node:text():find(SECRET, 1, true))
  end))

  it("gives up where the receiver is gone, elsewhere, or answers without end", with_crew(function(crew)
    local receiver, queue = start_receiver(crew), crew:queue()
    local gone, moved, big = deliver_to(queue, receiver, "/gone"), deliver_to(queue, receiver, "/moved"),
      deliver_to(queue, receiver, "/big")
    run_examples(crew, { APP_WEBHOOK_SECRET = SECRET })
    assert.matches("answered 410: it wants no more", wait_state(crew, queue, gone, "archived").message.error_msg)
    assert.matches("answered 307", wait_state(crew, queue, moved, "archived").message.error_msg)
    assert.matches("65536", wait_state(crew, queue, big, "archived").message.error_msg)
    assert.same({}, requests_for(receiver, "/hook"))
  end))

  it("is tried again where nobody listens", with_crew(function(crew)
    local receiver, queue = start_receiver(crew), crew:queue()
    receiver.process:kill()
    local id = deliver_to(queue, receiver, "/hook")
    run_examples(crew, { APP_WEBHOOK_SECRET = SECRET })
    local task = wait_state(crew, queue, id, "retry")
    assert.is_true(queue:score("retry", id) <= os.time() + 11)
    assert.is_nil(task.message.error_msg:find("secret", 1, true))
  end))
end)

-- ---- image:thumbnail ----

local function make_picture(crew)
  local data = crew.folder .. "/data"
  assert(uv.fs_mkdir(data, tonumber("700", 8)))
  local code, text = Process.run(LUAJIT, { args = { "demo/write_picture.lua", data .. "/moon.ppm", "64", "48" },
    output = crew:file("picture.out", "") }, 20)
  assert.equal(0, code, text)
  return data
end

local function add_thumbnail(queue)
  return queue:add { type = "image:thumbnail", payload = '{"path":"moon.ppm","width":16}', retention = 3600 }
end

-- Runs ImageMagick's convert in the folder of pictures; nil where it is not installed, or another program has its name.
local function imagemagick(crew)
  local function convert(args)
    return Process.run("/usr/bin/env", { args = { "convert", unpack(args) }, cwd = crew.folder .. "/data",
      output = crew:file("convert.out", "") }, 60 * wait.patience)
  end
  local pipe = assert(io.popen "convert -version 2>/dev/null")
  local version = pipe:read "*a"
  pipe:close()
  return version:find("ImageMagick", 1, true) and convert or nil
end

local function names_in(folder)
  local names, scan = {}, assert(uv.fs_scandir(folder))
  for name in function() return uv.fs_scandir_next(scan) end do
    names[#names + 1] = name
  end
  table.sort(names)
  return names
end

describe("the example image:thumbnail", function()
  it("is made by a program of its own", with_crew(function(crew)
    local data, queue = make_picture(crew), crew:queue "images"
    local id = add_thumbnail(queue)
    run_examples(crew, { APP_THUMBNAILER = ("luajit %s/demo/shrink_ppm.lua {source} {target} {width}"):format(ROOT) })
    assert.equal('{"bytes":589,"path":"thumbnails/moon-16.ppm"}', wait_state(crew, queue, id, "completed").result)
    assert.equal("P6\n16 12\n255\n", read_file(data .. "/thumbnails/moon-16.ppm"):sub(1, 13))
  end))

  it("is made by ImageMagick unless it is told otherwise, of the first picture of a file", with_crew(function(crew)
    local convert = imagemagick(crew)
    if not convert then
      pending "needs ImageMagick: apt-get install imagemagick"
      return
    end
    local data, queue = make_picture(crew), crew:queue "images"
    assert.equal(0, (convert { "moon.ppm", "moon.png" }))
    assert.equal(0, (convert { "moon.ppm", "-resize", "50%", "moon.jpg" }))
    assert.equal(0, (convert { "moon.ppm", "(", "moon.ppm", "-negate", ")", "moves.gif" }))
    assert(uv.fs_copyfile(data .. "/moves.gif", data .. "/called.png"))
    crew:file("data/none.png", "no picture")
    local ids = {}
    for _, name in ipairs { "moon.png", "moon.jpg", "moves.gif", "called.png", "none.png" } do
      ids[name] = queue:add { type = "image:thumbnail", payload = ('{"path":"%s","width":16}'):format(name),
        retention = 3600 }
    end
    run_examples(crew, {})
    assert.matches("convert ended with exit code 1: .*none.png",
      wait_state(crew, queue, ids["none.png"], "retry").message.error_msg)
    ids["none.png"] = nil
    for name, id in pairs(ids) do
      local made = cjson.decode(wait_state(crew, queue, id, "completed").result).path
      local _, text = convert { made, "-format", "%w %h ", "info:" }
      assert.equal("16 12 ", text, name)
    end
    assert.same({ "called-16.png", "moon-16.jpg", "moon-16.png", "moves-16.gif" }, names_in(data .. "/thumbnails"))
  end))

  it("takes its program and what that wrote along when it is cancelled", with_crew(function(crew)
    local data, queue = make_picture(crew), crew:queue "images"
    local stuck = crew:file("stuck.sh", 'echo half > "$2"; echo $$ > "$3"; while :; do sleep 1000; done\n')
    local id = add_thumbnail(queue)
    run_examples(crew, { APP_THUMBNAILER = ("sh %s {source} {target} %s/pid"):format(stuck, crew.folder) })
    local pid = crew:wait_until("the program runs", 20, function()
      return tonumber((select(2, pcall(read_file, crew.folder .. "/pid")))) -- nil while it is not there
    end)
    assert.equal(0, (crew:command { "task", "cancel", id }))
    crew:wait_until("the program is gone", 20, function() return not Process.exists(pid) end)
    crew:wait_until("the task has ended", 20, function() return #queue:ids "active" == 0 end)
    local left = uv.fs_scandir_next(uv.fs_scandir(data .. "/thumbnails"))
    assert.is_nil(left)
  end))

  it("fails with what the program says", with_crew(function(crew)
    local data, queue = make_picture(crew), crew:queue "images"
    crew:file("data/moon.ppm", "no picture")
    local id = add_thumbnail(queue)
    run_examples(crew, { APP_THUMBNAILER = ("luajit %s/demo/shrink_ppm.lua {source} {target} {width}"):format(ROOT) })
    assert.matches("luajit ended with exit code 1: .*no whole picture",
      wait_state(crew, queue, id, "retry").message.error_msg)
    assert.is_nil(uv.fs_stat(data .. "/thumbnails/moon-16.ppm"))
  end))
end)

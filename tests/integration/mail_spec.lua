-- crew.mail against a real mail server, whose messages Python's email package reads back.
local Sink = require "smtp_sink"
local async = require "mooncrew.async"
local certificates = require "certificates"
local cjson = require "cjson"
local mail = require "mooncrew.mail"
local native = require "mooncrew.native_http"
local uv = require "luv"
local wait = require "wait"
local waiting = require "waiting"
local with_crew = require("support").with_crew

local function remove_tree(path)
  for name, kind in function(scan) return uv.fs_scandir_next(scan) end, assert(uv.fs_scandir(path)) do
    local entry = path .. "/" .. name
    if kind == "directory" then remove_tree(entry) else uv.fs_unlink(entry) end
  end
  uv.fs_rmdir(path)
end

local function unbase64(text)
  local alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
  local bits, count, out = 0, 0, {}
  for character in text:gmatch "[^=]" do
    bits, count = bits * 64 + alphabet:find(character, 1, true) - 1, count + 6
    if count >= 8 then
      count = count - 8
      out[#out + 1] = string.char(math.floor(bits / 2 ^ count))
      bits = bits % 2 ^ count
    end
  end
  return table.concat(out)
end

describe("crew.mail", function()
  local folder, sink

  setup(function()
    folder = assert(uv.fs_mkdtemp "/tmp/mooncrew-mail-XXXXXX")
    sink = Sink.start(folder)
  end)
  teardown(function()
    sink:stop()
    remove_tree(folder)
  end)

  -- What a call gives, with what is not named filled in.
  local function send(options)
    local whole = { from = "ada@example.org", to = "bob@example.org", subject = "Hello", smtp = { url = sink.url } }
    for name, value in pairs(options) do
      whole[name] = value
    end
    if not (whole.text or whole.html or whole.attachments) then whole.text = "Hi" end
    return waiting.run(function() return mail.send(whole) end)
  end

  -- Sends, and gives what the server took.
  local function taken(options)
    local sent = assert(send(options))
    local message = assert(sink:take(), "nothing came")
    assert.same({}, message.defects)
    for line in unbase64(message.raw):gmatch "(.-)\r\n" do
      assert.is_true(#line <= 78 or not line:find " .* ", line) -- what has no blank is not folded
      assert.is_nil(line:find "[^\t\32-\126]", line)
    end
    return message, sent
  end

  local function refused(code, options, wanted)
    local sent, message, got = send(options)
    assert.is_nil(sent)
    assert.equal(code, got, message)
    assert.matches(wanted or "", message)
    return message
  end

  after_each(function()
    mail.configure {}
    assert.is_nil(sink:take())
    assert.same({ 0, 0 }, { native.stats() })
  end)

  it("sends a plain text", function()
    local message, sent = taken { text = "Hi,\n.\n..dots\nend", date = 1700000000 }
    assert.same({ "ada@example.org", { "bob@example.org" } }, { message.sender, message.recipients })
    assert.same({ { { "", "ada@example.org" } }, { { "", "bob@example.org" } } }, { message.from, message.to })
    assert.same({ "Hello", 1700000000, { "text/plain" } }, { message.subject, message.date, message.structure })
    assert.equal("Hi,\r\n.\r\n..dots\r\nend\r\n", unbase64(message.parts[1].content))
    assert.matches("^[%x-]+@example.org$", sent.message_id)
    assert.equal("250 taken as number 1", sent.reply)
    assert.truthy(unbase64(message.raw):find("Message-ID: <" .. sent.message_id .. ">", 1, true))
  end)

  it("sends names and subjects in any alphabet, long ones too", function()
    local names = { "Zoë Müller", "Müller, \"Zoë\" <x@y>", "山田太郎", "Plain Name", "Comma, Inc.", 'Quote " and \\',
      ("Ünicode "):rep(20) .. "end", ("long "):rep(30) .. "end", "=?UTF-8?B?WA==?=", ("🌙"):rep(22) }
    local boxes, wanted = {}, {}
    for i, name in ipairs(names) do
      boxes[i] = { name = name, address = ("someone%d@example.org"):format(i) }
      wanted[i] = { name, boxes[i].address }
    end
    for _, subject in ipairs { "Grüße", ("語"):rep(120), ("word "):rep(60) .. "end", ("x"):rep(400), " blank  blanks ",
      "=?UTF-8?Q?fake?=", "Überlänge: " .. ("äöü ß "):rep(50) .. "." } do
      local from = { name = "Zoë Müller", address = "zoe@example.com" }
      local message = taken { from = from, to = boxes, subject = subject,
        reply_to = { "Ré Ply <re@example.com>" } }
      assert.equal(subject, message.subject)
      assert.same({ { "Zoë Müller", "zoe@example.com" } }, message.from)
      assert.same(wanted, message.to)
      assert.same({ { "Ré Ply", "re@example.com" } }, message.reply_to)
    end
  end)

  it("sends text and HTML, and attachments byte for byte", function()
    local bytes = {}
    for i = 0, 255 do
      bytes[i + 1] = string.char(i)
    end
    bytes = table.concat(bytes):rep(401) .. "\r\n.\r\n"
    local path = folder .. "/from disk.csv"
    local file = assert(io.open(path, "wb"))
    file:write "a;b\n1;2\n"
    file:close()
    local text = "Grüße,\nZoë\nFrom here\n" .. ("sehr lange Zeile mit = und ä "):rep(50)
    local html = "<p>" .. ("語 "):rep(500) .. "</p>\n"
    local name = "Übersicht & \"mehr\" 2026 — eine sehr lange Bezeichnung, die umgebrochen wird.pdf"
    local message = taken { text = text, html = html, attachments = {
      { name = name, content = bytes },
      { path = path }, { name = "empty.txt", content = "" },
      { name = "b.bin", content = "x", type = "application/x-b" },
    } }
    assert.same({ "multipart/mixed", "multipart/alternative", "text/plain", "text/html", "application/pdf", "text/csv",
      "text/plain", "application/x-b" }, message.structure)
    assert.equal((text:gsub("\n", "\r\n")), unbase64(message.parts[1].content))
    assert.equal((html:gsub("\n", "\r\n")), unbase64(message.parts[2].content))
    assert.same({ "quoted-printable", "base64" }, { message.parts[1].encoding, message.parts[2].encoding })
    assert.equal(name, message.parts[3].filename)
    assert.is_true(bytes == unbase64(message.parts[3].content))
    assert.same({ "from disk.csv", "a;b\n1;2\n" }, { message.parts[4].filename, unbase64(message.parts[4].content) })
    assert.equal("", unbase64(message.parts[5].content))
    assert.not_equal(message.boundaries[1], message.boundaries[2])
    assert.equal("attachment", message.parts[6].disposition)
  end)

  it("sends to cc and bcc, and no header names the blind ones", function()
    local message = taken { to = { "a@example.org", "b@example.org" }, cc = "C <c@example.org>",
      bcc = { "blind@example.org", "a@example.org" } }
    assert.same({ "a@example.org", "b@example.org", "c@example.org", "blind@example.org" }, message.recipients)
    assert.same({ { "C", "c@example.org" } }, message.cc)
    assert.is_nil(unbase64(message.raw):find("blind", 1, true))
    assert.same({ "only@example.org" }, taken({ to = {}, bcc = "only@example.org" }).recipients)
  end)

  it("sends headers of the script's own, and a Message-ID that it is given", function()
    local list = "<https://example.org/unsubscribe?token=" .. ("a"):rep(20) .. ">"
    local message, sent = taken { headers = { ["List-Unsubscribe"] = list, ["X-Ü"] = nil, ["X-Text"] = "zwölf" },
      message_id = "<task-1@example.org>" }
    local headers = {}
    for _, pair in ipairs(message.headers) do
      headers[pair[1]] = pair[2]
    end
    assert.same({ list, "zwölf", "<task-1@example.org>" },
      { headers["List-Unsubscribe"], headers["X-Text"], headers["Message-ID"] })
    assert.equal("task-1@example.org", sent.message_id)
  end)

  it("says for good or for now what the server refuses, with its words", function()
    local message = refused("REJECTED", { to = { "bob@example.org", "refused@example.org" } })
    assert.matches("550 5.1.1 nobody of this name", message, 1, true)
    message = refused("DEFERRED", { to = "later@example.org" })
    assert.matches("451 4.3.0 come back later", message, 1, true)
    assert.same({ true, false }, { mail.is_temporary "DEFERRED", mail.is_temporary "REJECTED" })
    taken {} -- the next one goes
  end)

  it("does not wait for the end of a talk that the server has refused", function()
    local before = uv.hrtime()
    refused("REJECTED", { to = "silent@example.org" }, "550")
    assert.is_true((uv.hrtime() - before) / 1e9 < 5)
  end)

  it("logs in, and shows no password", function()
    local with_login = sink.url:gsub("//", "//ada:s3cr%%65t@")
    assert.is_true(taken({ smtp = { url = with_login, starttls = "never" } }).authenticated)
    assert.is_false(taken({}).authenticated)
    local message = refused("REJECTED", { smtp = { url = sink.url, username = "ada", password = "wr0ng",
      starttls = "never" } }, "535")
    assert.is_nil(message:find("wr0ng", 1, true))
    refused("REJECTED", { smtp = { url = sink.url, username = "parrot", password = "wr0ng-s3cret!",
      starttls = "never" } }, "535 no login for xxxxxx, xxxxxx, xxxxxx") -- in clear, and as AUTH LOGIN and PLAIN say it
    message = refused("TLS", { smtp = { url = with_login } }) -- a login needs STARTTLS unless told otherwise
    assert.is_nil(message:find("s3cr", 1, true))
    message = refused("CONNECTION", { smtp = { url = "smtp://ada:s3cret@127.0.0.1:1" } })
    assert.is_nil(message:find("s3cr", 1, true))
  end)

  it("sends by the environment's server, or by the one configured", function()
    refused("NOT_CONFIGURED", { smtp = {} }, "MOONCREW_SMTP_URL")
    uv.os_setenv("MOONCREW_SMTP_URL", sink.url)
    finally(function() uv.os_unsetenv "MOONCREW_SMTP_URL" end)
    taken { smtp = {} }
    mail.configure { url = "smtp://127.0.0.1:1" }
    refused("CONNECTION", { smtp = {} })
    mail.configure { url = sink.url }
    taken { smtp = {} }
  end)

  it("refuses what could begin a header of its own, and sends nothing", function()
    for _, options in ipairs {
      { subject = "x\r\nBcc: evil@example.org" }, { subject = "x\nX: y" },
      { from = { name = "x\r\nBcc: e@example.org", address = "a@example.org" } },
      { headers = { ["X-A"] = "1\r\nBcc: e@example.org" } },
      { attachments = { { name = "a\r\nX: y", content = "" } } }, { message_id = "a@b>\r\nX: y" },
    } do
      local sent, _, code = send(options)
      assert.is_nil(sent)
      assert.truthy(code == "INVALID_MESSAGE" or code == "INVALID_ADDRESS")
    end
    for _, address in ipairs { "a@example.org\r\nRCPT TO:<e@example.org>", "a", "a b@example.org", "a@b@c", "@x", "a@",
      "zoë@example.org", "a@-x.org", "a..b@example.org", "<a@example.org", "a@example.org, b@example.org" } do
      refused("INVALID_ADDRESS", { to = address })
    end
  end)

  for stage, to in pairs { ["a recipient"] = "slow@example.org", ["the whole message"] = "scanned@example.org" } do
    it("ends at once when it is stopped while the server thinks about " .. stage, function()
      local fiber, result = waiting.start(function()
        return mail.send { from = "a@example.org", to = to, subject = "x", text = "x", smtp = { url = sink.url } }
      end)
      local idle, longest = 0, 0
      waiting.turn_until(30, function()
        local before = uv.hrtime()
        local ended = native.turn(0.05)
        idle, longest = ended == 0 and idle + 1 or 0, math.max(longest, (uv.hrtime() - before) / 1e9)
        return idle == 5
      end)
      assert.is_true(longest < 2, "waiting does not block")
      assert.equal(1, (native.stats()))
      local before = uv.hrtime()
      async.stop(fiber, "TIMED_OUT")
      waiting.turn_until(10, function() return result.results end)
      assert.is_true((uv.hrtime() - before) / 1e9 < 2, "stopping does not block")
      assert.same({ 0, 0 }, { native.stats() })
      assert.matches("context deadline exceeded", result.results[2])
      refused("TIMEOUT", { to = to, smtp = { url = sink.url, timeout = "300ms" } })
    end)
  end

  describe("encrypts", function()
    local files

    setup(function() files = certificates.make(folder) end)

    local function with_sink(mode, fn)
      local plain = sink
      sink = Sink.start(folder, mode, files)
      local ok, failure = pcall(fn, sink.url)
      sink:stop()
      sink = plain
      if not ok then error(failure, 0) end
    end

    it("by STARTTLS, required or tried, and trusts no stranger", function()
      with_sink("starttls", function(url)
        for _, how in ipairs { "require", "try" } do
          local message = taken { smtp = { url = url, starttls = how, ca_file = files.ca } }
          assert.is_true(message.encrypted)
          refused("TLS", { smtp = { url = url, starttls = how } })
        end
        local message = taken { smtp = { url = url:gsub("//", "//ada:s3cret@"), ca_file = files.ca } }
        assert.same({ true, true }, { message.encrypted, message.authenticated })
        refused("REJECTED", { smtp = { url = url, starttls = "never" } }, "530")
        assert.is_true(taken({ smtp = { url = url, verify = false } }).encrypted)
      end)
      refused("TLS", { smtp = { url = sink.url, starttls = "require" } }) -- the plain one has none
    end)

    it("from the beginning, by smtps://", function()
      with_sink("smtps", function(url)
        assert.is_true(taken({ smtp = { url = url, ca_file = files.ca } }).encrypted)
        local long = ("x"):rep(3e6)
        local attachments = { { name = "a", content = long } }
        local message = taken { smtp = { url = url, ca_file = files.ca }, attachments = attachments }
        assert.is_true(long == unbase64(message.parts[1].content))
        refused("TLS", { smtp = { url = url } })
      end)
    end)
  end)

  it("is sent by a handler, whose log shows no password", with_crew(function(crew)
    local server = Sink.start(crew.folder)
    crew:finally(function() server:stop() end)
    crew:script("t.lua", [[
      crew.mail.configure { timeout = "20s", url = os.getenv("MOONCREW_SMTP_URL"), starttls = "never" }
      crew.task("mail", { perform = function(payload)
        local sent, message, code = crew.mail.send { from = "a@example.org", to = payload, subject = "x", text = "x" }
        note("sent", sent and sent.message_id, code)
        assert(sent, message)
      end })
    ]])
    local queue = crew:queue()
    queue:add { type = "mail", payload = cjson.encode "bob@example.org" }
    queue:add { type = "mail", payload = cjson.encode "refused@example.org" }
    local node = crew:run({}, { env = { MOONCREW_SMTP_URL = (server.url:gsub("//", "//ada:s3cret@")) } })
    crew:wait_until("both have ended", 30 * wait.patience, function() return crew.notes:count "sent" == 2 end)
    local message = assert(server:take())
    assert.same({ true, { "bob@example.org" } }, { message.authenticated, message.recipients })
    crew:wait_counts(queue, 20, { retry = 1, active = 0 })
    assert.matches("550 5.1.1", node:text(), 1, true)
    assert.is_nil(node:text():find("s3cret", 1, true))
  end))
end)

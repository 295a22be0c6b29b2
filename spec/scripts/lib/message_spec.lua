-- lib/message.lua: what it writes must come back whole from a reader that shares no code with it.

package.path = "./scripts/?.lua;./spec/scripts/?.lua;" .. package.path

local message = require "lib.message"
local reader = require "mail_reader"

local function mail_to(name, changes)
  local mail = {
    from = { name = "Crew", email = "crew@example.org" },
    to = { name = name, email = "ada@example.org" },
    subject = "Hello",
    date = 0,
    id = "1@host",
    text = "text",
    html = "<p>html</p>",
  }
  for key, value in pairs(changes or {}) do
    mail[key] = value
  end
  return mail
end

-- Renders, and reads back. Lines must end in CRLF, and nowhere may a CR or LF stand alone.
local function round_trip(mail)
  local text = assert(message.render(mail))
  local lines, bare = text:gsub("\r\n", "\n")
  assert.is_true(bare > 0)
  assert.is_nil(lines:find("\r", 1, true))
  assert.are.equal(text, (lines:gsub("\n", "\r\n")))
  return reader.read(lines)
end

describe("lib.message", function()
  it("has two alternatives, the plainer first", function()
    local mail = round_trip(mail_to("Ada"))
    assert.are.equal(2, #mail.parts)
    assert.are.equal("text/plain; charset=utf-8", mail.parts[1].headers["content-type"])
    assert.are.equal("text/html; charset=utf-8", mail.parts[2].headers["content-type"])
    assert.are.equal("text", mail.parts[1].text)
    assert.are.equal("<p>html</p>", mail.parts[2].text)
    assert.are.equal("1.0", mail.headers["mime-version"])
  end)

  it("writes the date and the id as RFC 5322 wants them", function()
    local mail = round_trip(mail_to("Ada", { date = 1769853600 }))
    assert.are.equal("Sat, 31 Jan 2026 10:00:00 +0000", mail.headers.date)
    assert.are.equal("<1@host>", mail.headers["message-id"])
  end)

  it("writes a plain name in quotes, with quotes and backslashes escaped", function()
    local mail = round_trip(mail_to([[Ada "the \ count"]]))
    assert.are.equal([["Ada \"the \\ count\"" <ada@example.org>]], mail.headers.to)
  end)

  it("writes the address alone when there is no name", function()
    assert.are.equal("<ada@example.org>", round_trip(mail_to("")).headers.to)
  end)

  it("encodes names and subjects that are not ASCII, however long", function()
    for _, name in ipairs({ "Zoë", "Søfía Çelik & Söhne", ("Łódź "):rep(40), "日本語の名前" .. ("長"):rep(50) }) do
      local mail = round_trip(mail_to(name, { subject = name }))
      assert.are.equal(name .. " <ada@example.org>", reader.decode_words(mail.headers.to))
      assert.are.equal(name, reader.decode_words(mail.headers.subject))
    end
  end)

  it("never splits a character between two encoded words", function()
    local to = round_trip(mail_to(("é€𝄞"):rep(30))).headers.to
    local words = 0
    for word in to:gmatch("=%?UTF%-8%?Q%?(.-)%?=") do
      words = words + 1
      assert.is_nil(word:match("^=[89AB]%x"), "begins inside a character: " .. word)
    end
    assert.is_true(words > 5)
  end)

  it("encodes plain text that looks like an encoded word, and text that is long", function()
    for _, subject in ipairs({ "=?UTF-8?Q?not_a_word?=", ("long "):rep(30) .. "end" }) do
      assert.are.equal(subject, reader.decode_words(round_trip(mail_to("Ada", { subject = subject })).headers.subject))
    end
  end)

  it("lets no name begin a header of its own", function()
    local name = "Ada\r\nBcc: everyone@example.org\r\n\r\nbody"
    local mail = round_trip(mail_to(name, { subject = name }))
    assert.is_nil(mail.headers.bcc)
    assert.are.equal(name, reader.decode_words(mail.headers.subject))
  end)

  it("refuses addresses that do not fit a header", function()
    for _, email in ipairs({ "", "ada", "@example.org", "ada@", "a b@example.org", "ada@example.org\r\nBcc: x@y",
      "ada@example.org>, <x@y", "zoë@example.org", "a@b@c", ("a"):rep(250) .. "@example.org" }) do
      local text, reason = message.render(mail_to("Ada", { to = { name = "Ada", email = email } }))
      assert.is_nil(text, email)
      assert.are.equal("not a mail address: " .. email, reason)
    end
  end)

  it("brings bodies through whole: long lines, blanks at line ends, other scripts, a look of a boundary", function()
    for _, body in ipairs({
      "", "\n", "a\n\nb\n", "a = b", ("x"):rep(75), ("x"):rep(76), ("x"):rep(77), ("é"):rep(100), "blank \ntab\t\n",
      ("x"):rep(74) .. " ", ("x"):rep(75) .. " ", ("x"):rep(73) .. " \n.", "--=_alternative\n--=_alternative--\n",
      "From me\n.\n", "日本語\n",
    }) do
      local mail = round_trip(mail_to("Ada", { text = body, html = body }))
      assert.are.equal(body, mail.parts[1].text)
      assert.are.equal(body, mail.parts[2].text)
    end
  end)
end)

local talk = require "mooncrew.mail.talk"

local MESSAGE = { from = { address = "a@example.org" }, recipients = { "b@example.org", "c@example.org" },
  bytes = ".first\r\n\r\n..\r\nlast\r\n" }

-- Talks with a server that gives these answers, in turns; a table is one that comes in pieces.
local function converse(answers, greeting)
  local said, at = {}, 0
  local pieces = {}
  local function exchange(bytes)
    if bytes ~= "" then
      said[#said + 1] = bytes
      at = at + 1
      local answer = answers[at]
      pieces = type(answer) == "table" and { unpack(answer) } or { answer }
    end
    local piece = table.remove(pieces, 1)
    if not piece then
      return nil, "it closed", "CONNECTION"
    end
    return piece
  end
  local reply, message, code = talk.send(exchange, MESSAGE, greeting or "220 hi\r\n250-x\r\n250 SIZE 1000\r\n")
  return said, reply, message, code
end

local YES = { "250 ok\r\n", "250 ok\r\n", "251 ok\r\n", "354 go\r\n", "250 2.0.0 taken\r\n" }

local function with(place, answer)
  local answers = { unpack(YES) }
  answers[place] = answer
  return answers
end

describe("mail.talk", function()
  it("says one message, its dots doubled", function()
    local said, reply = converse(YES)
    assert.same({ "MAIL FROM:<a@example.org> SIZE=20\r\n", "RCPT TO:<b@example.org>\r\n", "RCPT TO:<c@example.org>\r\n",
      "DATA\r\n", "..first\r\n\r\n...\r\nlast\r\n.\r\n" }, said)
    assert.equal("250 2.0.0 taken", reply.text)
  end)

  it("names the size only to a server that knows it", function()
    assert.equal("MAIL FROM:<a@example.org>\r\n", converse(YES, "220 SIZE\r\n250-x\r\n250 8BITMIME\r\n")[1])
  end)

  it("hears replies of several lines, in any pieces", function()
    local _, reply = converse(with(5, { "250-one\r", "\n25", "0-two\r\n250 th", "ree\r\n" }))
    assert.equal("250 one two three", reply.text)
    _, reply = converse(with(5, { "2", "50\r", "\n" }))
    assert.equal("250 ", reply.text)
  end)

  it("ends at the first refusal, before anybody gets it", function()
    for place, answer in ipairs { "421 bye\r\n", "450-a\r\n450 b\r\n", "550 no\r\n", "554 no\r\n", "552 large\r\n" } do
      local said, reply = converse(with(place, answer))
      assert.same({ place, answer:sub(1, 3) }, { #said, reply.code })
    end
  end)

  it("takes nothing for a reply that is none", function()
    for _, answer in ipairs { "garbage\r\n250 ok\r\n", "250 ok\r\nwhat\r\n", "\r\n250 ok\r\n x\r\n", "354 go\r\n",
      ("x"):rep(70000), { "25" }, "999 ok\r\n" } do
      local said, reply, _, code = converse(with(1, answer))
      assert.same({ 1, nil, "CONNECTION" }, { #said, reply or nil, code }, tostring(answer):sub(1, 20))
    end
  end)
end)

-- Payloads as the command line takes them.

local payload_source = require "mooncrew.cli.payload_source"

describe("mooncrew.cli.payload_source", function()
  it("takes an argument as the payload itself", function()
    assert.equal("{x", payload_source.read("{x"))
  end)

  it("reads a file, and says which one it cannot read", function()
    local path = os.tmpname()
    local file = assert(io.open(path, "wb"))
    file:write("[1, 2]\n")
    file:close()
    assert.equal("[1, 2]\n", payload_source.read("@" .. path))
    os.remove(path)
    local bytes, message = payload_source.read("@" .. path)
    assert.is_nil(bytes)
    assert.equal(("cannot read the payload: %s: No such file or directory"):format(path), message)
  end)

  it("writes JSON in the form that equal payloads share, and refuses what is none", function()
    assert.equal('{"a":1,"b":[]}', payload_source.canonical('{ "b": [], "a": 1 }'))
    local bytes, message = payload_source.canonical("{x")
    assert.is_nil(bytes)
    assert.matches("^payload: not valid JSON at byte 2", message)
  end)
end)

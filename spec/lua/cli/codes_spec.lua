-- What a failure's code means to the command line.

local codes = require "mooncrew.cli.codes"

describe("mooncrew.cli.codes", function()
  it("makes the exit code: 2 for wrong usage, 1 for all else", function()
    assert.equal(2, codes.exit_code "USAGE")
    assert.equal(2, codes.exit_code "INVALID_ARGUMENT")
    assert.equal(1, codes.exit_code "NOT_FOUND")
    assert.equal(1, codes.exit_code "FROM_A_LATER_VERSION")
  end)

  it("stands behind the message, where that does not say it all", function()
    assert.equal("it is not there (NOT_FOUND)", codes.told("it is not there", "NOT_FOUND"))
    assert.equal("unknown option '-x'", codes.told("unknown option '-x'", "USAGE"))
    assert.equal("why", codes.told("why", nil))
    assert.equal("a\nb (ARCHIVED)", codes.told("a\nb", "ARCHIVED"))
    assert.equal("x: bad (INVALID_PAYLOAD)\n  also y: bad", codes.told("x: bad\n  also y: bad", "INVALID_PAYLOAD"))
  end)

  it("is one of all that the runtime names", function()
    local known = {}
    for _, code in ipairs(codes.all()) do
      known[code] = true
    end
    local file = assert(io.open("runtime/base/err.h", "rb"))
    local count = 0
    for code in file:read("*a"):gmatch 'X%([A-Z_]+, %-%d+, "([A-Z_]+)"' do
      count = count + 1
      assert.is_true(known[code], code)
    end
    file:close()
    assert.is_true(count >= 18)
  end)
end)

-- The line that says how far long work is.

local progress = require "mooncrew.cli.progress"

describe("mooncrew.cli.progress", function()
  it("writes one line over and over, and clears it at the end", function()
    local written = {}
    local shown = progress.new("deleting", function(text) written[#written + 1] = text end)
    shown.step(1000, 1000000)
    shown.step(2000, 1000000)
    shown.finish()
    assert.same({ "\rdeleting: 1,000 of 1,000,000\27[K", "\rdeleting: 2,000 of 1,000,000\27[K", "\r\27[K" }, written)
  end)

  it("has nothing to clear when there was no step", function()
    local written = {}
    progress.new("deleting", function(text) written[#written + 1] = text end).finish()
    assert.same({}, written)
  end)
end)

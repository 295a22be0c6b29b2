-- The lines that say how far long work is.

local progress = require "mooncrew.cli.progress"

describe("mooncrew.cli.progress", function()
  local written, now_s

  -- Progress as a terminal, or anything else, is shown it, on a clock that the spec moves.
  local function shown_in(terminal)
    written, now_s = {}, 100
    return progress.new("deleting", { terminal = terminal, now = function() return now_s end, write = function(text)
      written[#written + 1] = text
    end })
  end

  it("writes one line of a terminal over and over, and clears it at the end", function()
    local shown = shown_in(true)
    shown.step(1000, 1000000)
    shown.step(2000, 1000000)
    shown.finish()
    assert.same({ "\rdeleting: 1,000 of 1,000,000\27[K", "\rdeleting: 2,000 of 1,000,000\27[K", "\r\27[K" }, written)
  end)

  it("has nothing to clear when there was no step", function()
    shown_in(true).finish()
    assert.same({}, written)
  end)

  it("writes a plain line a second where there is no terminal", function()
    local shown = shown_in(false)
    for step = 1, 40 do -- a step in a tenth of a second
      now_s = 100 + step / 10
      shown.step(step * 1000, 40000)
    end
    shown.finish()
    assert.same({ "deleting: 10,000 of 40,000\n", "deleting: 20,000 of 40,000\n", "deleting: 30,000 of 40,000\n",
      "deleting: 40,000 of 40,000\n" }, written)
  end)

  it("writes no line of what is done within the first second, nor at once after a long step", function()
    local shown = shown_in(false)
    now_s = 100.9
    shown.step(1000, 5000)
    assert.same({}, written)
    now_s = 107
    shown.step(2000, 5000)
    now_s = 107.9
    shown.step(3000, 5000)
    shown.finish()
    assert.same({ "deleting: 2,000 of 5,000\n" }, written)
  end)
end)

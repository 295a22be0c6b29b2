local telling = require "mooncrew.telling"

describe("telling how far a task has come", function()
  local host, sent, clock, timer

  before_each(function()
    sent, clock, timer = {}, 100, nil
    host = {
      send = function(_, fraction, at, text) sent[#sent + 1] = { fraction, at, text } end,
      now = function() return clock + 1e9 end,
      clock = function() return clock end,
      timer_start = function(seconds, callback)
        assert.is_nil(timer)
        timer = { at = clock + seconds, callback = callback }
        return 7
      end,
      timer_stop = function(number)
        assert.equal(7, number)
        timer = nil
      end,
    }
  end)

  local function fire()
    local due = assert(timer)
    clock, timer = due.at, nil
    due.callback()
  end

  it("the first word is sent at once, of others within a second the last, at its end", function()
    local task = {}
    telling.tell(host, task, 0.1, "a")
    assert.same({ { 0.1, 1e9 + 100, "a" } }, sent)
    for i = 2, 9 do
      clock = clock + 0.01
      telling.tell(host, task, i / 10)
    end
    assert.equal(1, #sent)
    fire()
    assert.equal(101, clock)
    assert.same({ 0.9, 1e9 + 100.08 }, sent[2])
    telling.tell(host, task, 1)
    assert.equal(2, #sent)
    fire()
    assert.same({ 1, 1e9 + 101 }, sent[3])
    assert.is_nil(timer)
  end)

  it("a handler that lets no timer run is heard once a second all the same", function()
    local task = {}
    for i = 0, 350 do
      clock = 100 + i / 100
      telling.tell(host, task, i / 350)
    end
    assert.equal(4, #sent)
    assert.is_not_nil(timer)
    telling.stop(host, task)
    assert.is_nil(timer)
  end)

  it("tasks do not wait for one another, and one that said nothing can stop", function()
    telling.tell(host, {}, 0.1)
    telling.tell(host, {}, 0.2)
    assert.equal(2, #sent)
    telling.stop(host, {})
    telling.stop(host, nil)
  end)
end)

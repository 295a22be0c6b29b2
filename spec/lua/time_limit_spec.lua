-- Limits of real time, and with them the alarm of runtime/lualib.

local native = require "mooncrew.native"
local time_limit = require "mooncrew.time_limit"
local uv = require "luv"

local HERE = debug.getinfo(1, "S").short_src

describe("a limit of time", function()
  local function say(place)
    return ("too long (%s)"):format(place or "nowhere")
  end

  -- Calls it within 0.3 s; returns how that ended, and how many seconds it took.
  local function call(fn)
    local begun = uv.hrtime()
    local ok, result, late = time_limit.call(0.3, say, fn)
    return ok, result, late, (uv.hrtime() - begun) / 1e9
  end

  local function ends(fn)
    local ok, result, late, seconds = call(fn)
    assert.is_false(ok)
    assert.is_true(late)
    assert.is_truthy(result:find("^too long %(" .. HERE .. ":%d+%)$"), result)
    assert.is_true(seconds >= 0.3 and seconds < 5, seconds)
    assert.is_nil(debug.gethook())
    assert.is_nil(native.alarm_clear())
  end

  it("leaves alone what ends in time, whatever it returns or raises", function()
    assert.are.same({ true, 7, false }, { time_limit.call(5, say, function(a) return a end, 7) })
    local raised = {}
    local ok, result, late = time_limit.call(5, say, error, raised)
    assert.are.same({ false, true, false }, { ok, result == raised, late })
  end)

  it("ends loops, also where they had been compiled before", function()
    local function spin(till)
      local i = 0
      while i < till do
        i = i + 1
      end
    end
    spin(1e7)
    ends(function() spin(math.huge) end)
    ends(function() while true do end end)
    assert.is_true((jit.status()))
  end)

  it("ends what catches all errors", function()
    local function spin() while true do end end
    ends(function() while true do pcall(spin) end end)
    ends(function() while true do xpcall(spin, debug.traceback) end end)
    ends(function() while true do coroutine.resume(coroutine.create(spin)) end end)
    ends(function() while true do pcall(coroutine.wrap(spin)) end end)
  end)

  it("ends what C calls back", function()
    ends(function() table.sort({ 1, 2, 3 }, function() while true do end end) end)
    ends(function() ("x"):gsub("x", function() while true do end end) end)
    ends(function()
      local text = tostring(setmetatable({}, { __tostring = function() while true do end end }))
      return text
    end)
  end)

  it("breaks off programs that are waited for, and kills what these have started", function()
    local mark = ("3%d"):format(uv.os_getpid())
    ends(function()
      os.execute("sleep " .. mark)
      return 1
    end)
    ends(function()
      local pipe = io.popen("sleep " .. mark .. "; true")
      local text = pipe:read "*a"
      return text
    end)
    ends(function() while true do os.execute("sleep " .. mark) end end)
    local pipe = io.popen("env -u LD_PRELOAD ps -eo args")
    local running = pipe:read "*a"
    pipe:close()
    assert.is_nil(running:find("\nsleep " .. mark, 1, true))
  end)

  it("lets programs be that ran before it began", function()
    local process = uv.spawn("sleep", { args = { "60" } }, function() end)
    uv.sleep(20)
    ends(function() while true do end end)
    assert.are.equal(0, process:kill(0))
    process:kill "sigkill"
    process:close()
    uv.run()
  end)

  it("gives way to one that begins later, and goes on when that is over", function()
    local inner
    local begun = uv.hrtime()
    local ok, result = time_limit.call(0.3, say, function()
      inner = { time_limit.call(0.2, function() return "inner" end, function() while true do end end) }
      while true do end
    end)
    assert.are.same({ false, "inner", true }, inner)
    assert.is_false(ok)
    assert.is_truthy(result:find "^too long")
    assert.is_true((uv.hrtime() - begun) / 1e9 >= 0.45)
  end)

  it("leaves the hook of somebody else in its place", function()
    local function hook() end
    debug.sethook(hook, "l")
    time_limit.call(0.1, say, function() while true do end end)
    local found = debug.gethook()
    debug.sethook()
    assert.are.equal(hook, found)
  end)

  it("ends the process, with a report, where a call cannot be broken off", function()
    local code = [[
      local limit = require "mooncrew.time_limit"
      limit.call(0.2, function() return "it hangs in find" end, function()
        return (("a"):rep(40)):find(("a?"):rep(40) .. ("a"):rep(40) .. "b")
      end)
      print "went on"
    ]]
    local path = os.tmpname()
    local file = assert(io.open(path, "w"))
    file:write(code)
    file:close()
    local pipe = io.popen(("luajit %s 2>&1; echo $?"):format(path))
    local said = pipe:read "*a"
    pipe:close()
    os.remove(path)
    assert.are.equal("mooncrew: it hangs in find\n1\n", said)
  end)
end)

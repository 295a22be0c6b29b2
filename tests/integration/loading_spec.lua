-- A script that does not load is named, with its line, also where nobody but the supervisor is left to do so.
local with_crew = require("support").with_crew

local GOOD = [[ crew.task("t", { perform = function() note "good" end }) ]]

-- What a script may do to its worker, on its third line (the first is the harness'), and what is then said of it.
local ENDS = {
  ["os.exit(0)"] = "a worker ended with exit code 0 while it loaded this: a script must not end its process",
  ["os.exit(7)"] = "a worker ended with exit code 7 while it loaded this: a script must not end its process",
  ["ffi.cdef 'int kill(int, int); int getpid(void);' ffi.C.kill(ffi.C.getpid(), 9)"] =
    "a worker was ended by signal 9 %(Killed%) while it loaded this$",
}

local HANGS = { "while true do end", "os.execute 'sleep 1000'", "while true do pcall(error) end" }

describe("a script", function()
  local function refuses_reload(crew, node, name, text, expected)
    crew:script(name, text)
    local before = #node:log { event = "reload refused" }
    node:send "sighup"
    crew:wait_until("the reload is refused", 20, function() return #node:log { event = "reload refused" } > before end)
    local lines = node:log { event = "reload refused" }
    assert.matches("^.*/scripts/" .. expected, lines[#lines].detail)
  end

  it("that ends its worker refuses the reload, and is named with its line", with_crew(function(crew)
    crew:script("a.lua", GOOD)
    local node = crew:run { workers = 2 }
    node:wait_log(20, { event = "worker ready" })
    for code, expected in pairs(ENDS) do
      refuses_reload(crew, node, "b.lua", "\n" .. code .. "\n", "b%.lua:3: " .. expected)
    end
    crew:script("b.lua", "")
    refuses_reload(crew, node, "sub.lua", "crew.on_start(function()\n  os.exit(1)\nend)", "sub%.lua:2: a worker ended")
    local code, said = crew:command { "reload" }
    assert.equal(1, code, said)
    assert.matches("sub.lua:2: a worker ended with exit code 1 while it loaded this: a script must not end its process",
      said)
  end))

  it("that does not come to its end refuses the reload, and is named with its line", with_crew(function(crew)
    crew:script("a.lua", GOOD)
    local node = crew:run { workers = 1, load_timeout = "1s" }
    node:wait_log(20, { event = "worker ready" })
    for _, code in ipairs(HANGS) do
      refuses_reload(crew, node, "b.lua", "\n" .. code .. "\n",
        "b%.lua:3: it takes longer to load than load_timeout allows$")
    end
    crew:script("b.lua", "require 'helper'\n")
    refuses_reload(crew, node, "helper.lua", "\n\n\nwhile true do end", "helper%.lua:5: it takes longer")
  end))

  it("is named when the first workers do not load either", with_crew(function(crew)
    crew:script("a.lua", GOOD)
    crew:script("b.lua", "\nwhile true do end")
    local node = crew:run { workers = 1, load_timeout = "1s" }
    local line = node:wait_log(20, { event = "worker does not become ready" })
    assert.matches("/scripts/b%.lua:3: it takes longer to load than load_timeout allows$", line.detail)
    crew:script("b.lua", "os.exit()")
    local second = crew:run { workers = 1 }
    line = second:wait_log(20, { event = "worker died" })
    assert.matches("/scripts/b%.lua:2$", line.loading)
    assert.matches("must not call os.exit", line.meaning)
  end))

  it("is not blamed for what a handler does later", with_crew(function(crew)
    crew:script("a.lua", [[ crew.task("t", { perform = function() os.exit(3) end }) ]])
    crew:queue():add { type = "t" }
    local node = crew:run { workers = 1, max_crashes = 1 }
    local line = node:wait_log(20, { event = "worker died" })
    assert.is_nil(line.loading)
    assert.equal("t", line.type)
  end))
end)

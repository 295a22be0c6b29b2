-- Run in a Lua state of its own: it changes what everybody shares.
local function run(body)
  local path = os.tmpname()
  local file = assert(io.open(path, "w"))
  file:write("local globals = require 'mooncrew.globals'\n", body)
  file:close()
  local pipe = io.popen("luajit " .. path .. " 2>&1")
  local text = pipe:read "*a"
  pipe:close()
  os.remove(path)
  return text
end

describe("globals", function()
  it("of the library are out of the scripts' reach", function()
    assert.are.equal("function function true false", run [[
      local own = globals.own()
      string.format, pcall = nil, nil
      io.write(type(own.string.format), " ", type(own.pcall), " ", tostring(own._G == _G), " ",
        tostring(own.table == table))
    ]])
  end)

  it("give the library each module once, also when package.loaded was cleared", function()
    assert.are.equal("true", run [[
      local own = globals.own()
      local first = own.require "mooncrew.duration"
      for name in pairs(package.loaded) do package.loaded[name] = nil end
      io.write(tostring(own.require "mooncrew.duration" == first))
    ]])
  end)

  it("are those of what the library generates", function()
    assert.are.equal("true nil", run [[
      local own = globals.own()
      type = nil
      local chunk, message = own.loadstring "return ("
      assert(not chunk and message)
      io.write(tostring((own.loadstring "return type(1)")() == "number"), " ", tostring(type))
    ]])
  end)

  it("that are removed once scripts are loaded are still found, and others are gone", function()
    assert.are.equal("function function function nil", run [[
      own_global = true
      globals.protect()
      local write, type = io.write, type
      for name in pairs(_G) do _G[name] = nil end
      string.format, coroutine.yield = nil, nil
      write(type(pcall), " ", type(("").format), " ", type(coroutine.yield), " ", type(own_global))
    ]])
  end)

  it("that scripts removed or replaced while they were loaded stay so", function()
    assert.are.equal("nil 7", run [[
      loadstring, print = nil, 7
      globals.protect()
      io.write(tostring(loadstring), " ", tostring(print))
    ]])
  end)

  it("with a metatable of a script's own are left alone", function()
    assert.are.equal("mine", run [[
      setmetatable(_G, { __index = function() return "mine" end })
      globals.protect()
      io.write(what)
    ]])
  end)
end)

local function run(body)
  local path = os.tmpname()
  local file = assert(io.open(path, "w"))
  file:write([[
    local ffi = require "ffi"
    require("mooncrew.finalizers").guard(function(message) io.write("told ", message:match "[^:]*$", "\n") end)
    local function collect() collectgarbage() collectgarbage() end
  ]], body)
  file:close()
  local pipe = io.popen("luajit " .. path .. " 2>&1")
  local text = pipe:read "*a"
  pipe:close()
  os.remove(path)
  return text
end

describe("a finalizer that fails is told of, and nobody else fails of it:", function()
  it("of ffi.gc", function()
    assert.are.equal("told  bad\nend", run [[
      ffi.gc(ffi.new "int[1]", function() error "bad" end)
      collect()
      io.write "end"
    ]])
  end)

  it("of ffi.metatype", function()
    assert.are.equal("told  bad\nend", run [[
      ffi.cdef "typedef struct { int x; } thing;"
      ffi.metatype("thing", { __gc = function() error "bad" end })
      ffi.new "thing"
      collect()
      io.write "end"
    ]])
  end)

  it("of a proxy", function()
    assert.are.equal("told  bad\nend", run [[
      getmetatable(newproxy(true)).__gc = function() error "bad" end
      collect()
      io.write "end"
    ]])
  end)

  it("and those in C, or taken away again, are as ever", function()
    assert.are.equal("nothing\nend", run [[
      ffi.cdef "void *malloc(size_t); void free(void *);"
      ffi.gc(ffi.C.malloc(10), ffi.C.free)
      ffi.gc(ffi.gc(ffi.new "int[1]", function() error "bad" end), nil)
      getmetatable(newproxy(true)).__index = { a = 1 }
      assert(newproxy() and newproxy(false))
      collect()
      io.write "nothing\nend"
    ]])
  end)
end)

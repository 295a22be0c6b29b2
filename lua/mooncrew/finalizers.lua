-- Finalizers that fail. LuaJIT runs them whenever it collects garbage, and raises their errors there: in the middle of
-- a task that has nothing to do with it, or of the library. So in a worker every finalizer in Lua that is set by
-- ffi.gc, ffi.metatype or on a newproxy is wrapped: its errors go to the log.

local ffi = require "ffi"

local finalizers = {}

local function guard(finalizer, report)
  if type(finalizer) ~= "function" then
    return finalizer -- nil, or a C function
  end
  return function(object)
    local ok, message = pcall(finalizer, object)
    if not ok then
      pcall(report, tostring(message))
    end
  end
end

-- Its metatable is the caller's to fill in.
local function guard_proxy(proxy, report)
  local meta = type(proxy) == "userdata" and getmetatable(proxy)
  if meta and not getmetatable(meta) then
    setmetatable(meta, { __newindex = function(_, key, value)
      rawset(meta, key, key == "__gc" and guard(value, report) or value)
    end })
  end
  return proxy
end

--- Wraps them from now on. report is told of an error in one.
---@param report fun(message: string)
function finalizers.guard(report)
  local gc, metatype, newproxy = ffi.gc, ffi.metatype, newproxy
  function ffi.gc(object, finalizer)
    return gc(object, guard(finalizer, report))
  end
  function ffi.metatype(kind, meta)
    if type(meta) == "table" and meta.__gc then
      meta.__gc = guard(meta.__gc, report)
    end
    return metatype(kind, meta)
  end
  function _G.newproxy(prototype)
    return guard_proxy(newproxy(prototype), report)
  end
end

return finalizers

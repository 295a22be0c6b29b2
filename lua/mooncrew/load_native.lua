-- C halves of modules that exist only in a worker, loaded when they are first needed.

local function is_there(name)
  return package.loaded[name] or package.preload[name] or package.searchpath(name, package.cpath)
end

--- The module; nil, message, code where there is none, or a library that it needs is not installed.
---@param name string  "mooncrew.native_redis"
---@param user string  who needs it: "crew.redis"
---@return table|nil module, string? message, string? code
local function load_native(name, user)
  if not is_there(name) then
    return nil, ("%s works in a worker only: in a test put something else in place of %s.backend"):format(user, user),
      "UNAVAILABLE"
  end
  local ok, module = pcall(require, name)
  if not ok then
    return nil, ("%s: %s"):format(user, tostring(module)), "UNAVAILABLE"
  end
  return module
end

return load_native

-- What outlives this module. busted forgets modules between two spec files, but what was put into `os` and
-- `package.loaders` stays there; so it is put there once, and asks this table, which is kept beside them.

---@class mooncrew.testing.Process
---@field clock mooncrew.testing.Clock|nil  that of the world that is entered
---@field search (fun(name: string): function|nil)|nil  finds the modules that stand beside the script that was loaded

local KEY = "mooncrew.testing"

local floor, real_time, real_date = math.floor, os.time, os.date

local function fake_time(process)
  return function(...)
    if process.clock and (...) == nil then
      return floor(process.clock.now)
    end
    return real_time(...)
  end
end

local function fake_date(process)
  return function(format, time, ...)
    if process.clock and time == nil then
      time = floor(process.clock.now)
    end
    return real_date(format or "%c", time, ...)
  end
end

local function install(process)
  rawset(os, "time", fake_time(process))
  rawset(os, "date", fake_date(process))
  table.insert(package.loaders, 2, function(name)
    return process.search and process.search(name) or nil
  end)
end

local function make()
  local process = {}
  install(process)
  debug.getregistry()[KEY] = process
  return process
end

return debug.getregistry()[KEY] or make()

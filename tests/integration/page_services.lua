-- What the examples of a page stand on. A service is started, until the test ends, when the page has its name:
--
--   REDIS_URL      the test's own Redis, for crew.redis (handlers do not see MOONCREW_REDIS)
--   APP_URL        a web server (http_server.py): /echo answers with what it was asked, as JSON; /status?code=N …
--   SMTP_URL       a mail server that takes everything (smtp_sink.py); MOONCREW_SMTP_URL says the same
--   DATABASE_URL   a PostgreSQL of its own
--   pkg-config     finds this build's mooncrew
local HttpServer = require "http_server"
local Postgres = require "postgres_server"
local Sink = require "smtp_sink"
local uv = require "luv"

local M = {}

-- Each: start(crew) → the variables of its environment; missing() → why it cannot be started here, or nil.
local services = {
  REDIS_URL = { start = function(crew)
    return { REDIS_URL = crew.server:url() }
  end },
  APP_URL = { start = function(crew)
    local server = HttpServer.start(crew.folder)
    crew:finally(function() server:stop() end)
    return { APP_URL = server.url }
  end },
  SMTP_URL = { start = function(crew)
    local sink = Sink.start(crew.folder)
    crew:finally(function() sink:stop() end)
    return { SMTP_URL = sink.url, MOONCREW_SMTP_URL = sink.url }
  end },
  DATABASE_URL = { start = function(crew)
    local server = Postgres.new()
    crew:finally(function() server:destroy() end)
    return { DATABASE_URL = server:start():url() }
  end, missing = function()
    return not Postgres.installed() and "PostgreSQL is not installed" or nil
  end },
  ["pkg-config"] = { start = function(crew)
    local build = assert(os.getenv "MOONCREW_BUILD")
    assert(uv.fs_symlink(build .. "/libmooncrew.so", crew.folder .. "/libmooncrew.so.0")) -- as `make install` names it
    crew:file("mooncrew.pc", ("Name: mooncrew\nDescription: this build\nVersion: 0\nCflags: -I%s/runtime/client\n"
      .. "Libs: -L%s -lmooncrew -Wl,-rpath,%s\n"):format(uv.cwd(), build, crew.folder))
    return { PKG_CONFIG_PATH = crew.folder }
  end },
}

--- What a page needs that this machine does not have: a text, or nil.
---@param text string of the page
function M.missing(text)
  for name, service in pairs(services) do
    local lacking = text:find(name, 1, true) and service.missing and service.missing()
    if lacking then return lacking end
  end
end

--- Starts what a page names; returns the variables that say where it is.
---@param crew table
---@param text string of the page
---@return table<string, string>
function M.start(crew, text)
  local variables = {}
  for name, service in pairs(services) do
    if text:find(name, 1, true) then
      for variable, value in pairs(service.start(crew)) do variables[variable] = value end
    end
  end
  return variables
end

return M

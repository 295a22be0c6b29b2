-- What the examples of a page talk to. A service is started when the page first needs its environment, if the page names
-- the variable that its address stands in:
--
--   REDIS_URL      the test's own Redis, for crew.redis (handlers do not see MOONCREW_REDIS)
--   APP_URL        a web server (http_server.py): /echo answers with what it was asked, as JSON; /status?code=N
--   SMTP_URL       a mail server that takes everything (smtp_sink.py); MOONCREW_SMTP_URL says the same
--   DATABASE_URL   a PostgreSQL of its own
local HttpServer = require "http_server"
local Postgres = require "postgres_server"
local Sink = require "smtp_sink"

local M = {}

local services = {
  REDIS_URL = { start = function(crew)
    return crew.server:url()
  end },
  APP_URL = { start = function(crew)
    local server = HttpServer.start(crew.folder)
    crew:finally(function() server:stop() end)
    return server.url
  end },
  SMTP_URL = { start = function(crew)
    local sink = Sink.start(crew.folder)
    crew:finally(function() sink:stop() end)
    return sink.url
  end, also = "MOONCREW_SMTP_URL" },
  DATABASE_URL = { start = function(crew)
    local server = Postgres.new()
    crew:finally(function() server:destroy() end)
    return server:start():url()
  end, missing = function()
    return not Postgres.installed() and "PostgreSQL is not installed" or nil
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

--- Starts what a page names, until the test ends; returns the variables with their addresses.
---@param crew table
---@param text string of the page
---@return table<string, string>
function M.start(crew, text)
  local variables = {}
  for name, service in pairs(services) do
    if text:find(name, 1, true) then
      variables[name] = service.start(crew)
      if service.also then variables[service.also] = variables[name] end
    end
  end
  return variables
end

return M

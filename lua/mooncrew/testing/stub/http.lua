-- Requests of crew.http in a test: answered by a stub, or really sent when the test allows it, and recorded.
--
-- A stub is a function of the request, or a table of answers by "METHOD url", where a "*" stands for anything; what
-- matches exactly comes first, then the longest. An answer is a table { status, headers, body or json }, or a function
-- of the request that returns one, or nil, message, code for a failure.

local copy = require "mooncrew.copy"
local check_fields = require "mooncrew.testing.stub.answer"
local glob = require "mooncrew.testing.glob"
local json = require "mooncrew.json"
local within = require "mooncrew.testing.stub.within"

local M = { module = "mooncrew.http", list = "requests" }

M.REAL = "real"

--- Whether this can be given as a stub.
---@param stub any
---@return boolean
function M.usable(stub)
  return stub == M.REAL or type(stub) == "function" or type(stub) == "table"
end

M.expected = 'a function of the request, a table by "METHOD url", or "real"'

-- Without what people log in with.
local function shown(request)
  return ("%s %s"):format(request.method, (request.url:gsub("//[^/]*@", "//")))
end

local function find_answer(stub, request)
  return type(stub) == "function" and stub or glob.find(stub, ("%s %s"):format(request.method, request.url))
end

local function refuse(request)
  local line = shown(request)
  error(("the test has no answer for %s: give one with testing.stub_http { [\"%s\"] = { status = 200, "
    .. "body = \"…\" } }, or send it with testing.allow_http()"):format(line, line), 0)
end

-- The body of a good answer goes where the handler wants it.
local function store(response, request)
  if not request.to_file or response.status < 200 or response.status > 299 then
    return response
  end
  local file, message = io.open(request.to_file, "wb")
  if not file then
    return nil, message, "IO_ERROR"
  end
  file:write(response.body)
  file:close()
  response.body = ""
  return response
end

local FIELDS = { status = "number", headers = "table", body = "string", json = "any", duration = "number" }

local function response_of(answer, request)
  if type(answer) ~= "table" then
    error(("the stub's answer to %s must be a table, such as { status = 200, body = \"…\" }, got %s"):format(
      shown(request), type(answer)), 0)
  end
  check_fields(answer, FIELDS, shown(request))
  local response = { status = answer.status or 200, headers = copy(answer.headers), body = answer.body or "",
    duration = answer.duration or 0 }
  if answer.json ~= nil then
    response.body = assert(json.encode(answer.json))
    response.headers["content-type"] = response.headers["content-type"] or "application/json"
  end
  return store(response, request)
end

local function answer_of(clock, answer, request)
  if type(answer) ~= "function" then
    return response_of(answer, request)
  end
  local in_time, given, message, code = within(clock, request.timeout, function()
    return answer(request)
  end)
  if not in_time then
    return nil, ("no whole answer within %g s"):format(request.timeout), "TIMEOUT"
  elseif given == nil and message then
    return nil, message, code or "CONNECTION"
  end
  return response_of(given, request)
end

-- Sends it; meanwhile the clock knows that something is under way.
local function send(clock, original, request)
  clock.real = clock.real + 1
  local ok, response, message, code = pcall(original, request)
  clock.real = clock.real - 1
  if not ok then
    error(response, 0)
  end
  return response, message, code
end

--- The backend in a test.
---@param clock mooncrew.testing.Clock
---@param original function  the one that really sends
---@param stub_of fun(): any
---@param record fun(entry: table): table
---@return function
function M.backend(clock, original, stub_of, record)
  return function(request)
    local entry, stub = record(request), stub_of()
    local response, message, code
    if stub == M.REAL then
      response, message, code = send(clock, original, request)
    else
      local answer = stub and find_answer(stub, request)
      if not answer then
        refuse(request)
      end
      response, message, code = answer_of(clock, answer, request)
    end
    entry.response, entry.failure = response, message
    return response, message, code
  end
end

return M

-- Programs of crew.exec in a test: never started, but for those that a stub answers, and recorded. A stub is a function
-- of the request { argv, stdin, … }, or a table of answers by the program's name or the whole command line, where "*"
-- stands for anything; an answer is a table { code, signal, stdout, stderr }, or nil, message, code.

local check_fields = require "mooncrew.testing.stub.answer"
local glob = require "mooncrew.testing.glob"
local within = require "mooncrew.testing.stub.within"

local M = { module = "mooncrew.exec", list = "commands", expected = "a function of the request, or a table by command" }

---@param stub any
---@return boolean
function M.usable(stub)
  return type(stub) == "function" or type(stub) == "table"
end

local FIELDS = { code = "number", signal = "any", stdout = "string", stderr = "string" }

-- A program's name means it with any arguments.
local function matches(line, pattern)
  return glob.matches(line, pattern) or glob.matches(line, pattern .. " *")
end

local function find_answer(stub, line)
  return type(stub) == "function" and stub or glob.find(stub, line, matches)
end

-- What a function says, if it says it within the time that the program has.
local function ask(clock, answer, request)
  local in_time, given, message, code = within(clock, request.timeout, function()
    return answer(request)
  end)
  if not in_time then
    return nil, ("%s did not end within %g s and was killed"):format(request.argv[1], request.timeout), "TIMEOUT"
  end
  return given, message, code
end

local function result_of(clock, answer, request)
  local given, message, code = answer, nil, nil
  if type(answer) == "function" then
    given, message, code = ask(clock, answer, request)
  end
  if given == nil and message then
    return nil, message, code or "IO_ERROR"
  elseif given ~= nil and type(given) ~= "table" then
    error(("the stub's answer to the program '%s' must be a table, such as { code = 0, stdout = \"…\" }, got %s")
      :format(request.argv[1], type(given)), 0)
  end
  check_fields(given or {}, FIELDS, ("the program '%s'"):format(request.argv[1]))
  local result = { stdout = "", stderr = "" }
  for name, value in pairs(given or {}) do
    result[name] = value
  end
  result.code = result.code or not result.signal and 0 or nil
  return result
end

---@param clock mooncrew.testing.Clock
---@param stub_of fun(): any
---@param record fun(entry: table): table
---@return function
function M.backend(clock, _, stub_of, record)
  return function(request)
    local entry, stub = record(request), stub_of()
    local answer = stub and find_answer(stub, table.concat(request.argv, " "))
    if not answer then
      error(("the test has no answer for the program '%s': give one with testing.stub_exec { [\"%s\"] = { code = 0, "
        .. "stdout = \"…\" } }"):format(request.argv[1], request.argv[1]), 0)
    end
    local result, message, code = result_of(clock, answer, request)
    entry.result, entry.failure = result, message
    return result, message, code
  end
end

return M

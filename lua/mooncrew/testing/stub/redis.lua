-- Commands of crew.redis in a test: answered by a stub, and recorded. A stub is a function of the command's words, or a
-- table of replies by the command, where "*" stands for anything and a name alone for all commands of that name; a
-- reply may be a function of the words too. crew.null and nil are Redis' nil; nil, text is an error of Redis, its code
-- the first word; and nil, text, code, where the code is none of Redis' but the module's own, fails the whole call.

local glob = require "mooncrew.testing.glob"
local json = require "mooncrew.json"

local M = { module = "mooncrew.redis", list = "redis",
  expected = "a function of the command's words, or a table by command" }

---@param stub any
---@return boolean
function M.usable(stub)
  return type(stub) == "function" or type(stub) == "table"
end

-- A command's name means it with any arguments.
local function matches(line, pattern)
  return glob.matches(line, pattern) or glob.matches(line, pattern .. " *")
end

local function refuse(command)
  error(("the test has no answer for the command '%s' of crew.redis: give one with testing.stub_redis { [\"%s *\"] = "
    .. "\"…\" }"):format(command[1], command[1]), 0)
end

-- What crew.redis itself says: no reply came.
local CALL_FAILED = { UNAVAILABLE = true, UNKNOWN = true, TIMED_OUT = true }

local function error_of(message, code)
  if CALL_FAILED[code] then
    return nil, message, code
  end
  local reply = require("mooncrew.redis").error(message)
  reply.code = code or reply.code
  return reply
end

-- The reply; nil, message, code where none came.
local function reply_to(stub, command)
  local answer = stub
  if type(stub) == "table" then
    answer = glob.find(stub, table.concat(command, " "), matches)
  end
  if answer == nil then
    refuse(command)
  end
  local reply, failure, code = answer, nil, nil
  if type(answer) == "function" then
    reply, failure, code = answer(command)
  end
  if reply == nil and failure then
    return error_of(failure, code)
  end
  return reply == nil and json.null or reply
end

local TRANSACTION = { MULTI = true, EXEC = true }

-- The replies to all of them: inside of a transaction they come together, at its end.
local function replies_to(commands, answer)
  local replies, gathered = {}, nil
  for i, command in ipairs(commands) do
    local name = command[1]:upper()
    local reply, message, code
    if not TRANSACTION[name] then
      reply, message, code = answer(command)
    end
    if message then
      return nil, message, code
    elseif name == "MULTI" then
      replies[i], gathered = "OK", {}
    elseif name == "EXEC" then
      replies[i], gathered = gathered or {}, nil
    elseif gathered then
      replies[i], gathered[#gathered + 1] = "QUEUED", reply
    else
      replies[i] = reply
    end
  end
  return replies
end

---@param stub_of fun(): any
---@param record fun(entry: table): table
---@return table
function M.backend(_, _, stub_of, record)
  return {
    pipeline = function(_, commands)
      return replies_to(commands, function(command)
        local entry = record(command)
        local reply, message, code = reply_to(stub_of(), command)
        entry.reply, entry.failure = reply, message
        return reply, message, code
      end)
    end,
    close = function() end,
  }
end

return M

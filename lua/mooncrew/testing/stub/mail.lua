-- Messages of crew.mail in a test: recorded, and never sent. A stub, a function of the message, can say that one fails:
-- nil, message, code. It is then recorded with `error` and `code`, and does not count as mailed.

local check_fields = require "mooncrew.testing.stub.answer"

local M = { module = "mooncrew.mail", list = "mails", expected = "a function of the message" }

local FIELDS = { reply = "string" }

---@param stub any
---@return boolean
function M.usable(stub)
  return type(stub) == "function"
end

---@param stub_of fun(): any
---@param record fun(entry: table): table
---@return function
function M.backend(_, _, stub_of, record)
  return function(message)
    local entry = record(message)
    local stub = stub_of()
    local sent, why, code
    if stub then
      sent, why, code = stub(message)
    end
    if sent == nil and why then
      entry.error, entry.code = why, code or "REJECTED"
      return nil, why, entry.code
    end
    if type(sent) ~= "table" then
      return { reply = "250 OK" }
    end
    check_fields(sent, FIELDS, "the message")
    return sent
  end
end

return M

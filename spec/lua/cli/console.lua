-- `mooncrew` in a spec: runs command lines on a client of the spec's own, and keeps what they print.

local stub = require "luassert.stub"
local cli = require "mooncrew.cli"
local confirm = require "mooncrew.cli.confirm"
local output = require "mooncrew.cli.output"

local M = {}

---@class Console
---@field answers table<string, table> by the name of the client's method, what it returns; or a function
---@field calls any[][] the methods that were called, with their arguments
local Console = {}
Console.__index = Console

local function fake_client(self)
  return setmetatable({}, { __index = function(_, name)
    return function(_, ...)
      self.calls[#self.calls + 1] = { name, ... }
      local answer = assert(self.answers[name], "the spec has no answer for " .. name)
      if type(answer) == "function" then
        return answer(...)
      end
      return unpack(answer, 1, 4)
    end
  end })
end

--- Takes the place of the client and of standard output until `close`; there is no terminal to ask at.
function M.open()
  local self = setmetatable({ answers = { close = {} }, calls = {}, written = {}, complaints = {} }, Console)
  self.client_before = package.loaded["mooncrew.client"]
  package.loaded["mooncrew.client"] = { open = function(url)
    self.url = url
    return fake_client(self)
  end }
  stub(output, "write", function(text) table.insert(self.written, text) end)
  self.terminal_before = confirm.has_terminal
  confirm.has_terminal = function() return false end
  stub(output, "complain", function(text) table.insert(self.complaints, text) end)
  return self
end

function Console:close()
  output.write:revert()
  output.complain:revert()
  confirm.has_terminal = self.terminal_before
  package.loaded["mooncrew.client"] = self.client_before
end

--- Exit code, what was printed, what was complained about.
function Console:run(...)
  self.written, self.complaints, self.calls = {}, {}, {}
  local outcome = cli.main { ... }
  return outcome.exit_code, table.concat(self.written), table.concat(self.complaints, "\n")
end

--- The calls of one method, without its name.
function Console:called(name)
  local list = {}
  for _, call in ipairs(self.calls) do
    if call[1] == name then
      list[#list + 1] = { unpack(call, 2) }
    end
  end
  return list
end

return M

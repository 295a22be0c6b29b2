-- The fields of a stub's answer: checked, so that a slip is an error and not another answer.

local unknown = require "mooncrew.unknown"

--- Raises, in the words of the test, when an answer has a field that is not known or is of another type.
---@param answer table
---@param known table<string, string>  what type() says of each field
---@param what string  "GET https://…", "the program 'convert'"
return function(answer, known, what)
  for name, value in pairs(answer) do
    local wanted = known[name]
    if not wanted then
      error(("the stub's answer to %s: %s"):format(what, (unknown("field", name, known))), 0)
    elseif wanted ~= "any" and type(value) ~= wanted then
      error(("the stub's answer to %s: %s: expected %s, got %s"):format(what, name, wanted, type(value)), 0)
    end
  end
end

-- How many items an array has, or fields an object.

local words = require "mooncrew.schema.words"

local function emit_bound(e, variable, beyond, bound, least_or_most, noun)
  if bound then
    e:line("if %s %s %d then", variable, beyond, bound)
    e:fail('""', '"must have at %s %s, has " .. %s', least_or_most, words.plural(bound, noun), variable)
    e:line("end")
  end
end

--- Checks a count, which stands in a variable of the emitted code.
---@param e mooncrew.schema.Emitter
---@param variable string
---@param min integer|nil
---@param max integer|nil
---@param noun string  what is counted: "item"
return function(e, variable, min, max, noun)
  emit_bound(e, variable, "<", min, "least", noun)
  emit_bound(e, variable, ">", max, "most", noun)
end

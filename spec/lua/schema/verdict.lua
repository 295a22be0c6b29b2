-- What schemas say of values, for specs.

local json = require "mooncrew.json"

local M = {}

--- What becomes of a value that fits.
function M.value_of(shape, value)
  local ok, result = shape:validate(value)
  assert(ok == true, result)
  return result
end

--- What is said of a value that does not fit.
function M.refusal_of(shape, value)
  local ok, message = shape:validate(value)
  assert(ok == nil, "it fits")
  return message
end

--- What a JSON text becomes, as JSON again.
function M.through(shape, text)
  local ok, result = shape:decode(text)
  assert(ok == true, result)
  return (json.encode(result))
end

--- What is said of a JSON text that does not fit.
function M.json_refusal_of(shape, text)
  local ok, message = shape:decode(text)
  assert(ok == nil, "it fits")
  return message
end

return M

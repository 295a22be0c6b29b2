-- The answer to a request, as a script sees it.

local json = require "mooncrew.json"

---@class mooncrew.http.Response
---@field status integer
---@field ok boolean  whether the status is 2xx
---@field headers table<string, string>  by name, in any case; of one that stands several times all values, ", " between
---@field body string  "" where it went to a file
---@field file string|nil  path, where the body went
---@field url string  of the last request, after redirects
---@field duration number  seconds, of all requests together
local Response = {}
Response.__index = Response

local any_case = {
  __index = function(headers, name)
    return type(name) == "string" and rawget(headers, name:lower()) or nil
  end,
}

--- The body, read as JSON: strictly, and by a schema where one is given.
---@param schema? table
---@return any value  crew.null for null
---@return string? message  begins with the path
---@return string? code  INVALID_RESPONSE
function Response:json(schema)
  local ok, value = json.decode(self.body, schema, "response")
  if not ok then
    return nil, value, "INVALID_RESPONSE"
  end
  return value
end

--- Each value of a header, in order; an empty list when it is not there.
---@param name string  in any case
---@return string[]
function Response:values(name)
  local value = self.all[name:lower()]
  return type(value) == "table" and value or { value }
end

local M = {}

--- A response from what a backend answered.
---@param answer table  {status, headers, body}; headers with names in lower case, values strings or lists of them
---@param request mooncrew.http.Request
---@param duration number
---@return mooncrew.http.Response
function M.new(answer, request, duration)
  local all, headers = {}, setmetatable({}, any_case)
  for name, value in pairs(answer.headers or {}) do
    name = name:lower()
    all[name] = value
    headers[name] = type(value) == "table" and table.concat(value, ", ") or value
  end
  local ok = answer.status >= 200 and answer.status <= 299
  return setmetatable({ status = answer.status, ok = ok, headers = headers, all = all, body = answer.body or "",
    file = ok and request.to_file or nil, url = request.url, duration = duration }, Response)
end

return M

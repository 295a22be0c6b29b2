-- A transfer of libcurl that a task waits for: what crew.http and crew.mail stand on where they are not stubbed.

local async = require "mooncrew.async"

local M = {}

local native

-- libcurl is loaded when it is first needed; where it is missing, the message names the package.
local function load_native()
  if not native then
    local ok, module = pcall(require, "mooncrew.native_http")
    if not ok then
      return nil, tostring(module), "UNAVAILABLE"
    end
    native = module
  end
  return native
end

--- Hides user and password of every address in a text.
---@param text string
---@return string
function M.hide_secrets(text)
  return (text:gsub("//[^/%s]*@", "//xxxxxx@"))
end

--- Waits for a transfer. A task that is stopped meanwhile ends it at once.
---@param request table  as mooncrew.native_http takes it
---@return table|nil answer  {status, head, body, duration}
---@return string? message
---@return string? code
---@return integer? status  that a server had sent before it failed
---@return string? head
function M.run(request)
  local loaded, message, code = load_native()
  if not loaded then
    return nil, message, code
  end
  local answer, status, head
  answer, message, code, status, head = async.await(function(resume)
    local handle, refusal, refusal_code = loaded.start(request, resume)
    if not handle then
      resume(nil, refusal, refusal_code)
      return nil
    end
    return function()
      loaded.cancel(handle)
    end
  end)
  if not answer then
    return nil, M.hide_secrets(message), code, status, head
  end
  return answer
end

return M

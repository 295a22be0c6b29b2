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

--- Hides user and password of every address in one of curl's messages; of a malformed one that it quotes, all: its
--- password may be any part.
---@param text string
---@return string
function M.hide_secrets(text)
  return (text:gsub("^(Unsupported proxy.-)'.*'", "%1'xxxxxx'"):gsub("//[^/%s]*@", "//xxxxxx@"))
end

-- Waits for what start(resume) begins; a stop cancels the handle.
local function wait_for(handle, start)
  return async.await(function(resume)
    local begun, refusal, code = start(resume)
    if not begun then
      resume(nil, refusal, code)
      return nil
    end
    return function()
      native.cancel(handle or begun)
    end
  end)
end

--- Waits for a transfer. A task that is stopped meanwhile ends it at once.
---@param request table  as mooncrew.native_http takes it
---@return table|nil answer  {status, head, body, duration}; with connect_only also {handle}, to be closed
---@return string? message
---@return string? code
---@return integer? status  that a server had sent before it failed
---@return string? head
function M.run(request)
  local loaded, message, code = load_native()
  if not loaded then
    return nil, message, code
  end
  local handle, answer, status, head
  answer, message, code, status, head = wait_for(nil, function(resume)
    local refusal, refusal_code
    handle, refusal, refusal_code = loaded.start(request, resume)
    return handle, refusal, refusal_code
  end)
  if not answer then
    return nil, M.hide_secrets(message), code, status, head
  end
  answer.handle = request.connect_only and handle or nil
  return answer
end

--- Says something over the connection of a request with connect_only, and waits for an answer or a part of it.
---@param handle userdata  of the answer
---@param bytes string
---@return string|nil heard, string? message, string? code
function M.exchange(handle, bytes)
  return wait_for(handle, function(resume)
    return native.exchange(handle, bytes, resume)
  end)
end

--- Ends the connection of a request with connect_only.
---@param handle userdata
---@param last_words string
function M.close(handle, last_words)
  native.close(handle, last_words)
end

return M

-- How large a payload or a result may be: what Redis takes for one value, unless its proto-max-bulk-len says otherwise.
-- Frames between worker and supervisor hold a little more.

local M = {}

M.MAX = 512 * 1024 * 1024 -- bytes

--- Whether bytes are few enough to be stored.
---@param what string  "payload"
---@param bytes string
---@return true|nil ok, string|nil message
function M.check(what, bytes)
  if #bytes > M.MAX then
    return nil, ("%s: it is %d bytes long, and Redis holds at most %d: store it elsewhere and hand on where it is")
      :format(what, #bytes, M.MAX)
  end
  return true
end

return M

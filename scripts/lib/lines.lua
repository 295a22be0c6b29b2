-- The lines of a file, whatever bytes are in them. LuaJIT's own file:lines() loses what stands behind a NUL byte, and
-- logs that lived through a power cut hold runs of them.

local M = {}

local BLOCK = 64 * 1024
local LONGEST = 1024 * 1024

-- An iterator over the lines, without their line ends. What is longer than a megabyte loses its middle, so that a file
-- of another kind does not fill the memory. Raises when the file cannot be read.
---@param file file*
---@return fun(): string|nil
function M.of(file)
  local buffer, at = "", 1
  return function()
    while true do
      local stop = buffer:find("\n", at, true)
      if stop then
        local line = buffer:sub(at, stop - 1)
        at = stop + 1
        return line
      end
      local block, message = file:read(BLOCK)
      if not block then
        if message then error(message) end
        local line = buffer:sub(at)
        buffer, at = "", 1
        return line ~= "" and line or nil
      end
      buffer, at = buffer:sub(at, at + LONGEST - 1) .. block, 1
    end
  end
end

return M

-- Delivery into a Maildir: written under tmp/, flushed, then renamed into new/, so that a mail program never meets half
-- a message, and needs no lock.

local files = require "lib.files"
local uv = require "luv"

local M = {}

local delivered = 0 -- by this process: keeps two names of one microsecond apart

-- Seconds, then what makes the name unique on this host, then the host; "/" and ":" have a meaning in a Maildir.
local function unique_name()
  delivered = delivered + 1
  local seconds, microseconds = uv.gettimeofday()
  local host = uv.os_gethostname():gsub("[/:]", { ["/"] = "\\057", [":"] = "\\072" })
  return ("%d.M%06dP%dQ%d.%s"):format(seconds, microseconds, uv.os_getpid(), delivered, host)
end

-- Delivers one message. Lines end in LF alone in the file, as programs that read a Maildir expect.
---@param folder string made when it is not there
---@param message string with lines that end in CRLF
---@return string|nil path of the message, below the folder
---@return string? reason
function M.deliver(folder, message)
  for _, part in ipairs({ "tmp", "new", "cur" }) do
    local ok, reason = files.make_folder(folder .. "/" .. part)
    if not ok then
      return nil, reason
    end
  end
  local name = unique_name()
  local ok, reason = files.write_through(("%s/tmp/%s"):format(folder, name), ("%s/new/%s"):format(folder, name),
    (message:gsub("\r\n", "\n")))
  if not ok then
    return nil, reason
  end
  return "new/" .. name
end

return M

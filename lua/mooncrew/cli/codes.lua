-- The codes of failures: what a command returns as nil, message, code. They are stable, since programs go by them.

local sorted_keys = require "mooncrew.sorted_keys"

local M = {}

local WRONG_USAGE = 2

-- code → its exit code where that is not 1, and whether the message says it all, so that people need not see the code.
local CODES = {
  USAGE = { exit_code = WRONG_USAGE, plain = true },
  NEEDS_YES = { exit_code = WRONG_USAGE, plain = true },
  INVALID_ARGUMENT = { exit_code = WRONG_USAGE },
  INVALID_CONFIG = { plain = true },
  INVALID_SCRIPT = { plain = true },
  INVALID_PAYLOAD = {},
  DECLINED = { plain = true },
  FAILED = { plain = true },
  INCOMPLETE = { plain = true },
  NO_SERVER = { plain = true },
  RELOAD_REFUSED = { plain = true },
  AMBIGUOUS = { plain = true },
  UNAVAILABLE = {}, UNKNOWN = {}, TIMEOUT = {}, CLOSED = {}, SERVER_ERROR = {}, MALFORMED = {}, IO_ERROR = {},
  NO_MEMORY = {}, INTERNAL = {}, NOT_FOUND = {}, WRONG_STATE = {}, NOT_EMPTY = {}, GONE = {}, ARCHIVED = {},
  DUPLICATE_TASK = {}, TASK_ID_CONFLICT = {},
}

--- What the command ends with.
---@param code string
---@return integer
function M.exit_code(code)
  return CODES[code] and CODES[code].exit_code or 1
end

--- A message as people read it: with the code behind it where that tells more, and before what else is wrong ("also").
---@param message string
---@param code string|nil
---@return string
function M.told(message, code)
  if not code or (CODES[code] and CODES[code].plain) then
    return message
  end
  local first = message:match "^(.-)\n  also " or message
  return ("%s (%s)%s"):format(first, code, message:sub(#first + 1))
end

--- All codes, sorted.
---@return string[]
function M.all()
  return sorted_keys(CODES)
end

return M

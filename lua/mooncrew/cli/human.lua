-- Durations, times, sizes, numbers and payloads as people read them.

local json = require "mooncrew.json"
local native = require "mooncrew.native"
local timestamp = require "mooncrew.cli.timestamp"

local M = {}

local UNITS = { { "d", 86400 }, { "h", 3600 }, { "m", 60 }, { "s", 1 } } -- name, seconds

--- "250ms", "12s", "3m20s", "2h5m", "4d3h": the two largest units.
---@param seconds number
---@return string
function M.duration(seconds)
  if seconds > 0 and seconds < 1 then
    return ("%dms"):format(math.max(1, math.floor(seconds * 1000 + 0.5)))
  end
  local rest = math.floor(seconds)
  for i, unit in ipairs(UNITS) do
    if rest >= unit[2] then
      local smaller = UNITS[i + 1]
      local more = smaller and math.floor(rest % unit[2] / smaller[2]) or 0
      return ("%d%s"):format(rest / unit[2], unit[1]) .. (more > 0 and ("%d%s"):format(more, smaller[1]) or "")
    end
  end
  return "0s"
end

--- "3m20s ago", "in 5m", "now"; "-" for no time.
---@param at_s number|nil unix seconds
---@param now_s? number
---@return string
function M.since(at_s, now_s)
  if not at_s or at_s == 0 then
    return "-"
  end
  local passed = (now_s or native.wall_ms() / 1000) - at_s
  if math.abs(passed) < 1 then
    return "now"
  end
  return passed > 0 and M.duration(passed) .. " ago" or "in " .. M.duration(-passed)
end

--- When something is to come: "in 5m"; "due" once the time has come, since who looks may be a little late.
---@param at_s number|nil unix seconds
---@param now_s? number
---@return string
function M.due(at_s, now_s)
  now_s = now_s or native.wall_ms() / 1000
  return at_s and at_s > 0 and at_s <= now_s and "due" or M.since(at_s, now_s)
end

--- "2026-11-24T04:09:30Z (3m20s ago)"; "-" for no time.
---@param at_s number|nil unix seconds
---@param now_s? number
---@return string
function M.time(at_s, now_s)
  if not at_s or at_s == 0 then
    return "-"
  end
  return ("%s (%s)"):format(timestamp.format(at_s), M.since(at_s, now_s))
end

--- "1,000,000"
---@param number number
---@return string
function M.count(number)
  local text = ("%.0f"):format(number)
  local digits, changed = text, 1
  while changed > 0 do
    digits, changed = digits:gsub("^(%d+)(%d%d%d)", "%1,%2")
  end
  return digits
end

--- "1 archived task", "1,000 archived tasks"
---@param number number
---@param noun string in the singular
---@return string
function M.many(number, noun)
  return ("%s %s%s"):format(M.count(number), noun, number == 1 and "" or "s")
end

local SIZES = { "B", "KB", "MB", "GB", "TB" }

--- "512 B", "1.5 MB"
---@param bytes number
---@return string
function M.size(bytes)
  local unit = 1
  while bytes >= 1024 and unit < #SIZES do
    bytes, unit = bytes / 1024, unit + 1
  end
  return (unit == 1 and "%d %s" or "%.1f %s"):format(bytes, SIZES[unit])
end

-- ---- payloads and results ----

-- Where the JSON string that begins at this quote ends.
local function string_end(text, at)
  repeat
    at = text:find('[\\"]', at + 1)
    local escaped = text:sub(at, at) == "\\"
    at = escaped and at + 1 or at
  until not escaped
  return at
end

-- The piece of a JSON text that begins here, and where the next may begin: an empty object or array, a punctuation
-- mark, a string, or a bare word.
local function next_token(text, at)
  local empty, stop = text:match("^([%[{]%s*[%]}])()", at)
  if empty then
    return empty:gsub("%s", "") .. "", stop
  end
  if text:sub(at, at) == '"' then
    stop = string_end(text, at)
    return text:sub(at, stop), stop + 1
  end
  local mark, behind = text:match("^([%[{%]},:])()", at)
  if mark then
    return mark, behind
  end
  return text:match('^([^%s%[{%]},:"]+)()', at)
end

local function tokens(text)
  local at = 1
  return function()
    local token
    at = text:find("%S", at)
    if at then
      token, at = next_token(text, at)
    end
    return token
  end
end

local OPENS, CLOSES = { ["{"] = true, ["["] = true }, { ["}"] = true, ["]"] = true }

-- A text that is JSON, with its white space made new and nothing else changed: numbers and the order of keys stay as
-- they came.
local function indented(text)
  local out, depth = {}, 0
  local function add(piece)
    out[#out + 1] = piece
  end
  local function line_end(deeper)
    depth = depth + deeper
    add("\n" .. ("  "):rep(depth))
  end
  for token in tokens(text) do
    if CLOSES[token] then
      line_end(-1)
    end
    add(token)
    if OPENS[token] then
      line_end(1)
    elseif token == "," then
      line_end(0)
    elseif token == ":" then
      add(" ")
    end
  end
  return table.concat(out)
end

local HEX_LINE = 32 -- bytes

local function hex(bytes)
  local lines = {}
  for at = 1, #bytes, HEX_LINE do
    lines[#lines + 1] = bytes:sub(at, at + HEX_LINE - 1):gsub(".", function(char)
      return ("%02x"):format(char:byte())
    end)
  end
  return table.concat(lines, "\n")
end

local function is_text(bytes)
  return native.utf8_valid(bytes) and not bytes:find("[%z\1-\8\11\12\14-\31\127]")
end

--- JSON indented, other text as it is, anything else in hexadecimal.
---@param bytes string
---@return string text
---@return string kind "json", "text" or "hex"
function M.payload(bytes)
  if json.decode(bytes) then
    return indented(bytes), "json"
  elseif is_text(bytes) then
    return bytes, "text"
  end
  return hex(bytes), "hex"
end

--- The same for output that says nothing of its kind: what is in hexadecimal stands on one line behind "hex:".
---@param bytes string
---@return string
function M.line(bytes)
  local text, kind = M.payload(bytes)
  return kind == "hex" and "hex:" .. text:gsub("\n", "") or text
end

--- A payload or a result for programs, as a field of a table: `payload` holds the JSON value, `payload_text` a text
--- that is no JSON, `payload_hex` anything else. No field for no bytes.
---@param into table
---@param name string
---@param bytes string|nil
function M.add_bytes(into, name, bytes)
  if not bytes or bytes == "" then
    return
  end
  local ok, value = json.decode(bytes)
  if ok then
    into[name] = value
  elseif is_text(bytes) then
    into[name .. "_text"] = bytes
  else
    into[name .. "_hex"] = hex(bytes):gsub("\n", "")
  end
end

return M

-- What the command line writes: lines and tables for people, JSON for programs.

local json = require "mooncrew.json"
local native = require "mooncrew.native"

local M = {}

local failure -- the first write that did not succeed

---@param text string written as it is
function M.write(text)
  local ok, why = io.stdout:write(text)
  failure = failure or (not ok and why or nil)
end

---@param format string
function M.line(format, ...)
  M.write(format:format(...) .. "\n")
end

--- One line on standard error; line ends inside the message become "; ", and what could steer a terminal "?".
---@param message string
function M.complain(message)
  io.stderr:write("mooncrew: ", (message:gsub("%s*\n%s*", "; "):gsub("%c", "?")), "\n")
end

--- The same for what does not keep a command from going on.
---@param message string
function M.warn(message)
  M.complain("warning: " .. message)
end

--- In quotes, on one line.
---@param text string
---@return string
function M.quoted(text)
  return json.encode(text) or ("%q"):format(text:gsub("%c", "?"))
end

--- A value for name=value: in quotes where it would not be read as one word.
---@param text string
---@return string
function M.word(text)
  return (text == "" or text:find('[%s%c"=]')) and M.quoted(text) or text
end

local function escaped(byte)
  return ("\\x%02x"):format(byte:byte())
end

--- One word for a shell, in quotes where it needs them; what could steer a terminal stands as $'\x1b'.
---@param text string
---@return string
function M.shell_word(text)
  local readable = native.utf8_valid(text) and not text:find "%c"
  if readable and text:find "^[%w_./:@%%+,\128-\255-]+$" then
    return text
  elseif readable then
    return "'" .. text:gsub("'", "'\\''") .. "'"
  end
  return "$'" .. text:gsub("[\\'%c\128-\255]", escaped) .. "'"
end

-- A copy in which every text is Unicode: an id or a name in Redis may be any bytes.
local function readable(value)
  if type(value) == "string" then
    return native.utf8_valid(value) and value or (value:gsub("[\128-\255]", "?"))
  elseif type(value) ~= "table" then
    return value
  end
  local copy = {}
  for name, inner in pairs(value) do
    copy[readable(name)] = readable(inner)
  end
  return setmetatable(copy, getmetatable(value))
end

---@param value any one line of canonical JSON; bytes that are no text become "?"
function M.json(value)
  M.write((json.encode(value) or assert(json.encode(readable(value)))) .. "\n")
end

-- Characters, not bytes: every byte that does not continue a UTF-8 sequence begins one.
local function width(text)
  local _, count = text:gsub("[^\128-\191]", "")
  return count
end

local function widths_of(rows)
  local widths = {}
  for _, row in ipairs(rows) do
    for column, cell in ipairs(row) do
      widths[column] = math.max(widths[column] or 0, width(cell))
    end
  end
  return widths
end

local function pad(cell, size, right)
  local space = (" "):rep(size - width(cell))
  return right and space .. cell or cell .. space
end

--- Rows under their titles, in columns.
---@param titles string[] a title that begins with ">" makes its column flush right
---@param rows any[][]
---@return string
function M.grid(titles, rows)
  local right, lines, cells = {}, {}, { {} }
  for column, title in ipairs(titles) do
    right[column] = title:sub(1, 1) == ">"
    cells[1][column] = title:gsub("^>", "")
  end
  for i, row in ipairs(rows) do
    cells[i + 1] = {}
    for column = 1, #titles do
      local cell = tostring(row[column] == nil and "" or row[column])
      cells[i + 1][column] = cell:gsub("%c", "?")
    end
  end
  local widths = widths_of(cells)
  for i, row in ipairs(cells) do
    for column, cell in ipairs(row) do
      row[column] = pad(cell, widths[column], right[column])
    end
    lines[i] = table.concat(row, "  "):gsub("%s+$", "")
  end
  return table.concat(lines, "\n") .. "\n"
end

--- Lines of a label and its value; a value's further lines stand below its first.
---@param rows any[][]
function M.fields(rows)
  local size = 0
  for _, row in ipairs(rows) do
    size = math.max(size, width(row[1]))
  end
  for _, row in ipairs(rows) do
    local text = tostring(row[2]):gsub("[%z\1-\9\11-\31\127]", "?"):gsub("\n", "\n" .. (" "):rep(size + 2))
    M.line("%s  %s", pad(row[1], size), text)
  end
end

--- Whether everything that was written has arrived.
---@return true|nil
---@return string? message
function M.finish()
  local ok, why = io.stdout:flush()
  failure = failure or (not ok and why or nil)
  if failure then
    return nil, "cannot write to standard output: " .. failure
  end
  return true
end

return M

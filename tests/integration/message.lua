-- Asynq's protobuf messages, read and written by a few lines that know nothing of mooncrew.
-- TaskMessage, ServerInfo and WorkerInfo hold only varints, texts, maps and Timestamps, so two wire types are enough.
local M = {}

local VARINT, BYTES = 0, 2

-- ---- writing ----

local function varint(n)
  local bytes = {}
  repeat
    local low = n % 128
    n = (n - low) / 128
    bytes[#bytes + 1] = string.char(n > 0 and low + 128 or low)
  until n == 0
  return table.concat(bytes)
end

local function field(number, value)
  if type(value) == "number" then return varint(number * 8 + VARINT) .. varint(value) end
  return varint(number * 8 + BYTES) .. varint(#value) .. value
end

-- name → number, in the order in which Go writes them
local TASK = {
  { "type", 1 }, { "payload", 2 }, { "id", 3 }, { "queue", 4 }, { "retry", 5 }, { "retried", 6 }, { "error_msg", 7 },
  { "timeout", 8 }, { "deadline", 9 }, { "unique_key", 10 }, { "last_failed_at", 11 }, { "retention", 12 },
  { "completed_at", 13 }, { "group_key", 14 },
}
local TEXTS = { type = 1, payload = 1, id = 1, queue = 1, error_msg = 1, unique_key = 1, group_key = 1 }
local HEADERS = 15

--- A TaskMessage from a table of its fields.
---@param task table
---@return string
function M.encode_task(task)
  local parts = {}
  for _, entry in ipairs(TASK) do
    local value = task[entry[1]]
    if value ~= nil and value ~= 0 and value ~= "" then parts[#parts + 1] = field(entry[2], value) end
  end
  for name, value in pairs(task.headers or {}) do
    parts[#parts + 1] = field(HEADERS, field(1, name) .. field(2, value))
  end
  return table.concat(parts)
end

-- ---- reading ----

local function read_varint(bytes, at)
  local value, factor = 0, 1
  while true do
    local byte = assert(bytes:byte(at), "protobuf: a number is cut off")
    at = at + 1
    value = value + byte % 128 * factor
    if byte < 128 then return value, at end
    factor = factor * 128
  end
end

local readers = {
  [VARINT] = read_varint,
  [BYTES] = function(bytes, at)
    local size, start = read_varint(bytes, at)
    assert(start + size - 1 <= #bytes, "protobuf: bytes are cut off")
    return bytes:sub(start, start + size - 1), start + size
  end,
}

-- All values of each field number, in order.
local function read_fields(bytes)
  local fields, at = {}, 1
  while at <= #bytes do
    local tag, value
    tag, at = read_varint(bytes, at)
    local read = assert(readers[tag % 8], "protobuf: unexpected wire type")
    value, at = read(bytes, at)
    local number = math.floor(tag / 8)
    fields[number] = fields[number] or {}
    table.insert(fields[number], value)
  end
  return fields
end

local function read_map(entries)
  local map = {}
  for _, entry in ipairs(entries or {}) do
    local pair = read_fields(entry)
    map[pair[1] and pair[1][1] or ""] = pair[2] and pair[2][1] or 0
  end
  return map
end

local function last(values, default)
  return values and values[#values] or default
end

--- A TaskMessage as a table: every field, with proto3's defaults for those that are absent.
---@param bytes string
function M.decode_task(bytes)
  local fields, task = read_fields(bytes), {}
  for _, entry in ipairs(TASK) do
    task[entry[1]] = last(fields[entry[2]], TEXTS[entry[1]] and "" or 0)
  end
  task.headers = read_map(fields[HEADERS])
  return task
end

--- A ServerInfo, with queues as a map of name to weight.
---@param bytes string
function M.decode_server(bytes)
  local fields = read_fields(bytes)
  return {
    host = last(fields[1], ""), pid = last(fields[2], 0), server_id = last(fields[3], ""),
    concurrency = last(fields[4], 0), queues = read_map(fields[5]), strict_priority = last(fields[6], 0) == 1,
    status = last(fields[7], ""), active_worker_count = last(fields[9], 0),
  }
end

--- A WorkerInfo.
---@param bytes string
function M.decode_worker(bytes)
  local fields = read_fields(bytes)
  return {
    host = last(fields[1], ""), pid = last(fields[2], 0), server_id = last(fields[3], ""),
    task_id = last(fields[4], ""), type = last(fields[5], ""), payload = last(fields[6], ""),
    queue = last(fields[7], ""),
  }
end

return M

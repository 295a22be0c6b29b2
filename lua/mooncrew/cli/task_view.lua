-- A task as the command line shows it: a row of a list, a page of its own, or JSON.

local json = require "mooncrew.json"
local human = require "mooncrew.cli.human"
local sorted_keys = require "mooncrew.sorted_keys"
local timestamp = require "mooncrew.cli.timestamp"

local M = {}

--- The states, in the order of a task's life.
M.STATES = { "pending", "active", "scheduled", "retry", "archived", "completed", "aggregating" }

local SNIPPET = 40 -- characters of a payload, an error or a result in a list

local function cut(text)
  text = text:gsub("%s+", " ")
  local characters, at = 0, 1
  for start in text:gmatch("()[^\128-\191]") do
    characters = characters + 1
    if characters == SNIPPET then
      at = start
    end
  end
  return characters > SNIPPET and text:sub(1, at - 1) .. "…" or text
end

local function snippet(bytes)
  if not bytes or bytes == "" then
    return ""
  end
  local _, kind = human.payload(bytes)
  return kind == "hex" and ("(%s)"):format(human.size(#bytes)) or cut(bytes)
end

local function seconds(value)
  return value and value > 0 and human.duration(value) or nil
end

-- What is known of a task whose message cannot be read, instead of its error.
local function trouble(task)
  return cut(task.problem or task.last_error or "")
end

local function lease(task)
  if not task.lease_expires_at then
    return "none"
  end
  return human.since(task.lease_expires_at) .. (task.orphaned and " (orphaned)" or "")
end

local function retried(task)
  return task.retried and ("%d of %d"):format(task.retried, task.max_retry) or ""
end

-- state → what its list shows beside id, type and payload: title, text of a task
local COLUMNS = {
  pending = { { "WAITING SINCE", function(task) return human.since(task.pending_since) end } },
  active = { { "LEASE ENDS", lease }, { "RETRIED", retried } },
  scheduled = { { "DUE", function(task) return human.since(task.next_process_at) end } },
  retry = {
    { "DUE", function(task) return human.since(task.next_process_at) end }, { "RETRIED", retried },
    { "LAST ERROR", trouble },
  },
  archived = {
    { "ARCHIVED", function(task) return human.since(task.archived_at) end }, { "RETRIED", retried },
    { "LAST ERROR", trouble },
  },
  completed = {
    { "COMPLETED", function(task) return human.since(task.completed_at) end },
    { "EXPIRES", function(task) return human.since(task.expires_at) end },
    { "RESULT", function(task) return snippet(task.result) end },
  },
  aggregating = { { "GROUP", function(task) return task.group or "" end } },
}

--- Titles and rows of a list, for output.grid.
---@param state mooncrew.State
---@param tasks mooncrew.TaskInfo[]
---@return string[] titles, string[][] rows
function M.list(state, tasks)
  local titles, rows = { "ID", "TYPE", "PAYLOAD" }, {}
  for _, column in ipairs(COLUMNS[state]) do
    titles[#titles + 1] = column[1]
  end
  for i, task in ipairs(tasks) do
    local row = { task.id, task.type or "?", snippet(task.payload) }
    for _, column in ipairs(COLUMNS[state]) do
      row[#row + 1] = column[2](task)
    end
    rows[i] = row
  end
  return titles, rows
end

local function sorted_pairs(map)
  local names, i = sorted_keys(map or {}), 0
  return function()
    i = i + 1
    return names[i], names[i] and map[names[i]]
  end
end

-- A time in the past or the future; nil where there is none.
local function time(at_s)
  return at_s and at_s > 0 and human.time(at_s) or nil
end

-- What the handler that runs has told of its progress; nil: nothing that makes sense.
local function progress_of(task)
  local ok, told = json.decode(task.extra and task.extra.mc_progress or "")
  local sound = ok and type(told) == "table" and type(told.fraction) == "number" and type(told.at) == "number"
  return sound and told or nil
end

local function progress(task)
  local told = progress_of(task)
  if not told then
    return nil
  end
  local words = type(told.text) == "string" and (" (%s)"):format(told.text) or ""
  return ("%.4g%%%s, told %s"):format(told.fraction * 100, words, human.time(told.at))
end

-- How many workers it crashed; nil: none, or that is forgotten since it was archived or done.
local function crashes(task)
  return task.extra and tonumber(task.extra.mc_crashes)
end

local function last_crash(task)
  if not task.last_crash then
    return nil
  end
  return (task.last_crash_at and human.time(task.last_crash_at) .. ": " or "") .. task.last_crash
end

-- label, text of a task; nil: no line
local FIELDS = {
  { "id", function(task) return task.id end },
  { "queue", function(task) return task.queue end },
  { "state", function(task) return task.state .. (task.orphaned and " (orphaned: its lease has run out)" or "") end },
  { "problem", function(task) return task.problem end },
  { "type", function(task) return task.type end },
  { "group", function(task) return task.group ~= "" and task.group or nil end },
  { "waiting since", function(task) return time(task.pending_since) end },
  { "due", function(task) return task.state ~= "pending" and time(task.next_process_at) or nil end },
  { "lease ends", function(task) return task.state == "active" and (time(task.lease_expires_at) or "none") or nil end },
  { "progress", progress },
  { "retried", function(task) return task.retried and retried(task) end },
  { "timeout", function(task) return seconds(task.timeout) end },
  { "deadline", function(task) return time(task.deadline) end },
  { "retention", function(task) return seconds(task.retention) end },
  { "unique key", function(task) return task.unique_key ~= "" and task.unique_key or nil end },
  { "last failed", function(task) return time(task.last_failed_at) end },
  { "last error", function(task) return task.last_error ~= "" and task.last_error or nil end },
  { "crashes", function(task) return crashes(task) and ("%d"):format(crashes(task)) end },
  { "last crash", last_crash },
  { "archived", function(task) return time(task.archived_at) end },
  { "completed", function(task) return time(task.completed_at) end },
  { "expires", function(task) return time(task.expires_at) end },
}

-- What a field of `extra` says is said above.
local SHOWN = { mc_progress = progress, mc_crashes = crashes }

--- Labels and texts of everything known of a task but its payload and result.
---@param task mooncrew.TaskInfo
---@return string[][] rows
function M.fields(task)
  local rows = {}
  local function add(label, text)
    if text then
      rows[#rows + 1] = { label, text }
    end
  end
  for _, field in ipairs(FIELDS) do
    add(field[1], field[2](task))
  end
  for name, value in sorted_pairs(task.headers) do
    add("header " .. name, value)
  end
  for name, value in sorted_pairs(task.extra) do
    add(name, not (SHOWN[name] and SHOWN[name](task)) and value or nil)
  end
  return rows
end

local TIMES = {
  "last_failed_at", "deadline", "completed_at", "next_process_at", "pending_since", "archived_at", "expires_at",
  "lease_expires_at", "last_crash_at",
}

--- A task for programs.
---@param task mooncrew.TaskInfo
---@return table
function M.json(task)
  local result = {}
  for name, value in pairs(task) do
    result[name] = value ~= "" and value or nil
  end
  for _, name in ipairs(TIMES) do
    result[name] = timestamp.known(task[name])
  end
  result.payload, result.result = nil, nil
  result.crashes = crashes(task)
  local told = progress_of(task)
  result.progress = told and { fraction = told.fraction, text = told.text, at = timestamp.known(told.at) }
  human.add_bytes(result, "payload", task.payload)
  human.add_bytes(result, "result", task.result)
  return result
end

--- Tasks for programs.
---@param tasks mooncrew.TaskInfo[]
---@return table[]
function M.json_list(tasks)
  local list = {}
  for i, task in ipairs(tasks) do
    list[i] = M.json(task)
  end
  return json.array(list)
end

return M

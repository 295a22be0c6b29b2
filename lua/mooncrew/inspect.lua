-- What a client can see and change of queues and tasks: the methods of mooncrew.Client that do not enqueue.
--
--   local page = assert(client:tasks("default", "archived", { size = 100 }))
--   for _, task in ipairs(page.tasks) do print(task.id, task.type, task.last_error) end
--   assert(client:run_tasks("default", "archived"))
--
-- They work on asynq's keys as asynq's own inspector does, with the same refusals, so both can be used side by side.
-- Failures are nil, message, code: NOT_FOUND (no such task or queue), WRONG_STATE (refused in this state), NOT_EMPTY,
-- UNAVAILABLE, UNKNOWN (sent, but no answer came: look again), SERVER_ERROR, INVALID_ARGUMENT.

local duration = require "mooncrew.duration"
local json = require "mooncrew.json"
local unknown = require "mooncrew.unknown"

local M = {}

---@class mooncrew.Inspector
---@field protected native userdata
local Inspector = {}

---@alias mooncrew.State "pending"|"active"|"scheduled"|"retry"|"archived"|"completed"|"aggregating"

---@class mooncrew.QueueInfo
---@field name string
---@field paused boolean
---@field size integer  tasks in all states
---@field pending integer
---@field active integer
---@field scheduled integer
---@field retry integer
---@field archived integer
---@field completed integer
---@field aggregating integer
---@field groups integer  groups that have tasks
---@field latency_ms integer  how long the oldest pending task has waited
---@field memory_bytes integer  an estimate from samples
---@field processed_today integer  since midnight, UTC; failures included
---@field failed_today integer
---@field processed integer  since the queue was made
---@field failed integer

---@class mooncrew.Day
---@field date string  "2026-01-31", UTC
---@field processed integer  failures included
---@field failed integer

---@class mooncrew.TaskInfo
---@field id string
---@field queue string
---@field state mooncrew.State
---@field problem string|nil  why what stands in Redis cannot be read; then the fields of the message are missing
---@field type string|nil
---@field payload string|nil  the bytes
---@field max_retry integer|nil
---@field retried integer|nil
---@field last_error string|nil  why it failed last
---@field last_failed_at integer|nil  unix seconds, as all times here
---@field timeout integer|nil  seconds
---@field deadline integer|nil
---@field unique_key string|nil  the Redis key of its lock
---@field retention integer|nil  seconds
---@field completed_at integer|nil
---@field group string|nil
---@field headers table<string, string>|nil
---@field result string|nil  the bytes
---@field next_process_at integer|nil  scheduled, retry: when it is due; pending: now
---@field pending_since number|nil  pending
---@field archived_at integer|nil  archived
---@field expires_at integer|nil  completed: when it will be deleted
---@field lease_expires_at integer|nil  active; nil when it has no lease
---@field orphaned boolean|nil  active: its lease has run out, so its server is gone or cut off
---@field last_crash string|nil  how it ended the last worker that it crashed; mc_crashes in `extra` says how many
---@field last_crash_at integer|nil
---@field extra table<string, string>  what mooncrew notes beside asynq's fields: mc_owner, mc_crashes, mc_error,
---  mc_progress: JSON with fraction, at and text, of a task that runs …

---@class mooncrew.Page
---@field tasks mooncrew.TaskInfo[]
---@field total integer  tasks in this state when the page was read
---@field next string|nil  for `after` of the next page; nil: this was the last

---@class mooncrew.PageOptions
---@field size integer|nil  tasks per page, 1 … 1000; 30 unless given
---@field page integer|nil  from 1; or:
---@field after string|nil  the `next` of the page before
---@field group string|nil  needed for "aggregating"

---@class mooncrew.BulkOptions
---@field group string|nil  needed for "aggregating"
---@field progress nil|fun(done: integer, total: integer)  called after each call of at most 1,000 ids. An error in it
---  ends the work and is raised. It must not use this client.

---@class mooncrew.WorkerInfo
---@field task_id string
---@field type string
---@field queue string
---@field payload string
---@field started_at number
---@field deadline number|nil

---@class mooncrew.ServerInfo
---@field id string  "host:pid:uuid"
---@field host string
---@field pid integer
---@field status string  "active", "stopped" …
---@field started_at number
---@field concurrency integer
---@field active_workers integer  tasks it works on
---@field strict boolean
---@field queues table<string, integer>  name → priority
---@field workers mooncrew.WorkerInfo[]  the tasks it works on
---@field generation integer|nil  of its scripts: grows with each reload; this and what follows only of mooncrew's own
---@field loaded_at number|nil  when that generation loaded; nil: it has not yet
---@field draining integer|nil  workers of the generation before, which finish what they run
---@field reloads_asked integer|nil  how many reloads were asked for …
---@field reloads_answered integer|nil  … and of how many it is known what came of it
---@field reload_error string|nil  why the last reload was refused
---@field refused_at number|nil
---@field pools mooncrew.PoolInfo[]|nil
---@field patterns string|nil  "tenant:*,shop:*": whose queues it serves as soon as there are some

---@class mooncrew.PoolInfo
---@field name string  "": the only one
---@field workers integer  processes, as configured
---@field serving integer  those that are ready
---@field concurrency integer  tasks at a time, per worker
---@field busy integer  tasks in hand

---@class mooncrew.GroupInfo
---@field name string
---@field size integer

---@class mooncrew.CronEntry
---@field id string
---@field spec string
---@field type string
---@field payload string
---@field options string[]  as Go prints them: `Queue("low")`, `MaxRetry(3)`
---@field next_at number|nil
---@field prev_at number|nil
---@field schedulers integer  how many live schedulers hold this entry

---@class mooncrew.CronEvent
---@field task_id string
---@field at number

local names = {} ---@type table<function, string>  of the methods of clients

--- Lets errors name the methods of a class.
---@param class table
function M.name_methods(class)
  for name, method in pairs(class) do
    if type(method) == "function" then
      names[method] = name
    end
  end
end

--- Raises an error that names the method of a client in which it was found.
---@param message string
---@param level integer  whom it blames, as in error(); the method is the one that this one has called
local function misuse(message, level)
  local name = names[(debug.getinfo(level, "f") or {}).func]
  error(name and ("client:%s: %s"):format(name, message) or message, level + 1)
end

local function native_of(self, level)
  local native = type(self) == "table" and rawget(self, "native")
  if not native then
    misuse("the client is closed, or was called with a dot instead of a colon", level + 1)
  end
  return native
end

local function check(name, value, wanted, level)
  if type(value) ~= wanted then
    misuse(("%s: expected %s, got %s"):format(name, wanted, type(value)), level + 1)
  end
  return value
end

-- Options that exist, by name and type. Returns them, or an empty table.
local function check_options(options, known, level)
  check("options", options or {}, "table", level + 1)
  for name, value in pairs(options or {}) do
    if not known[name] then
      misuse(unknown("option", name, known), level + 1)
    end
    check(name, value, known[name], level + 1)
  end
  return options or {}
end

--- Every queue, by name.
---@return mooncrew.QueueInfo[]|nil queues, string|nil message, string|nil code
function Inspector:queues()
  return native_of(self, 2):queues()
end

--- One queue.
---@param queue string
---@return mooncrew.QueueInfo|nil info, string|nil message, string|nil code
function Inspector:queue(queue)
  return native_of(self, 2):queue(check("queue", queue, "string", 2))
end

--- What a queue did on each of the last days, today first.
---@param queue string
---@param days integer  1 … 90
---@return mooncrew.Day[]|nil history, string|nil message, string|nil code
function Inspector:history(queue, days)
  return native_of(self, 2):history(check("queue", queue, "string", 2), check("days", days, "number", 2))
end

local PAGE_OPTIONS = { size = "number", page = "number", after = "string", group = "string" }

--- A page of the tasks in one state. Scheduled, retry, archived, completed and aggregating tasks stand in order of
--- time, then id, and `after` finds its place even when tasks have gone meanwhile; pending and active ones stand by
--- place, the oldest first, and move up as they are worked on. Only the page is read, however many tasks there are.
---@param queue string
---@param state mooncrew.State
---@param options mooncrew.PageOptions|nil
---@return mooncrew.Page|nil page, string|nil message, string|nil code
function Inspector:tasks(queue, state, options)
  local native = native_of(self, 2)
  check("queue", queue, "string", 2)
  check("state", state, "string", 2)
  return native:tasks(queue, state, check_options(options, PAGE_OPTIONS, 2))
end

--- Everything known of one task.
---@param queue string
---@param id string
---@return mooncrew.TaskInfo|nil task, string|nil message, string|nil code
function Inspector:task(queue, id)
  return native_of(self, 2):task(check("queue", queue, "string", 2), check("id", id, "string", 2))
end

--- Makes a task pending now. Active and pending ones are refused (WRONG_STATE).
---@param queue string
---@param id string
---@return true|nil ok, string|nil message, string|nil code
function Inspector:run_task(queue, id)
  return native_of(self, 2):run_task(check("queue", queue, "string", 2), check("id", id, "string", 2))
end

--- Archives a task. Active and archived ones are refused.
---@param queue string
---@param id string
---@return true|nil ok, string|nil message, string|nil code
function Inspector:archive_task(queue, id)
  return native_of(self, 2):archive_task(check("queue", queue, "string", 2), check("id", id, "string", 2))
end

--- Deletes a task, and its uniqueness lock if it holds it. Active ones are refused.
---@param queue string
---@param id string
---@return true|nil ok, string|nil message, string|nil code
function Inspector:delete_task(queue, id)
  return native_of(self, 2):delete_task(check("queue", queue, "string", 2), check("id", id, "string", 2))
end

local BULK_OPTIONS = { group = "string", progress = "function" }

local function bulk(self, method, queue, state, options)
  local native = native_of(self, 3)
  check("queue", queue, "string", 3)
  check("state", state, "string", 3)
  options = check_options(options, BULK_OPTIONS, 3)
  return native[method](native, queue, state, options.group, options.progress)
end

-- None of the three makes a tail call: the level of errors counts them.

--- Makes all tasks of a state pending: scheduled, retry, archived, completed, aggregating. Works in calls of at most
--- 1,000 ids, on at most as many tasks as there were at the beginning, and touches only those that are still in that
--- state. After a failure the last result says how many are done.
---@param queue string
---@param state mooncrew.State
---@param options mooncrew.BulkOptions|nil
---@return integer|nil done, string|nil message, string|nil code, integer|nil done_before_failure
function Inspector:run_tasks(queue, state, options)
  local done, message, code, before = bulk(self, "run_tasks", queue, state, options)
  return done, message, code, before
end

--- Archives all tasks of a state: pending, scheduled, retry, completed, aggregating; else like run_tasks.
---@param queue string
---@param state mooncrew.State
---@param options mooncrew.BulkOptions|nil
---@return integer|nil done, string|nil message, string|nil code, integer|nil done_before_failure
function Inspector:archive_tasks(queue, state, options)
  local done, message, code, before = bulk(self, "archive_tasks", queue, state, options)
  return done, message, code, before
end

--- Deletes all tasks of a state but active, and the uniqueness locks they hold; else like run_tasks.
---@param queue string
---@param state mooncrew.State
---@param options mooncrew.BulkOptions|nil
---@return integer|nil done, string|nil message, string|nil code, integer|nil done_before_failure
function Inspector:delete_tasks(queue, state, options)
  local done, message, code, before = bulk(self, "delete_tasks", queue, state, options)
  return done, message, code, before
end

--- Replaces a task's payload: a string as it is, nil by nothing, anything else as JSON. Active and completed ones are
--- refused. A unique task's lock moves along: DUPLICATE_TASK when another task holds the lock of the new payload.
---@param queue string
---@param id string
---@param payload any
---@return true|nil ok, string|nil message, string|nil code
function Inspector:update_payload(queue, id, payload)
  local native = native_of(self, 2)
  check("queue", queue, "string", 2)
  check("id", id, "string", 2)
  if payload == nil then
    payload = ""
  elseif type(payload) ~= "string" then
    local bytes, message, code = json.encode(payload)
    if not bytes then
      return nil, message, code
    end
    payload = bytes
  end
  return native:update_payload(queue, id, payload)
end

--- Asks whoever runs the task to cancel it; it then fails, and is retried.
---@param id string
---@return integer|nil listeners  how many servers heard it; 0: nobody, so nothing happens
---@return string|nil message, string|nil code
function Inspector:cancel(id)
  return native_of(self, 2):cancel(check("id", id, "string", 2))
end

--- Keeps servers from taking tasks of a queue. WRONG_STATE when it is paused.
---@param queue string
---@return true|nil ok, string|nil message, string|nil code
function Inspector:pause(queue)
  return native_of(self, 2):pause(check("queue", queue, "string", 2))
end

--- Ends a pause. WRONG_STATE when the queue is not paused.
---@param queue string
---@return true|nil ok, string|nil message, string|nil code
function Inspector:unpause(queue)
  return native_of(self, 2):unpause(check("queue", queue, "string", 2))
end

local REMOVE_OPTIONS = { force = "boolean", progress = "function" }

--- Removes a queue. NOT_EMPTY when it has tasks, unless forced: then they are deleted first, in calls of at most 1,000
--- ids. WRONG_STATE, always, when tasks of it are being worked on.
---@param queue string
---@param options { force: boolean|nil, progress: nil|fun(done: integer, total: integer) }|nil
---@return integer|nil deleted  how many tasks were deleted with it
---@return string|nil message, string|nil code, integer|nil deleted
function Inspector:remove_queue(queue, options)
  local native = native_of(self, 2)
  check("queue", queue, "string", 2)
  options = check_options(options, REMOVE_OPTIONS, 2)
  return native:remove_queue(queue, options.force or false, options.progress)
end

local SERVERS_OPTIONS = { tasks = "boolean" }

--- The servers that are alive, of mooncrew and of asynq, and what they work on.
---@param options { tasks: boolean|nil }|nil  tasks = false: without what they work on, which may be much to read
---@return mooncrew.ServerInfo[]|nil servers, string|nil message, string|nil code
function Inspector:servers(options)
  local native = native_of(self, 2)
  return native:servers(check_options(options, SERVERS_OPTIONS, 2).tasks == false)
end

--- The groups of a queue that have tasks, by name.
---@param queue string
---@return mooncrew.GroupInfo[]|nil groups, string|nil message, string|nil code
function Inspector:groups(queue)
  return native_of(self, 2):groups(check("queue", queue, "string", 2))
end

--- The cron entries of all live schedulers, by id; one that several schedulers hold stands there once.
---@return mooncrew.CronEntry[]|nil entries, string|nil message, string|nil code
function Inspector:cron()
  return native_of(self, 2):cron()
end

local HISTORY_OPTIONS = { size = "number", page = "number" }

--- When a cron entry enqueued what, the latest first.
---@param entry_id string
---@param options { size: integer|nil, page: integer|nil }|nil  30 a page unless given; pages from 1
---@return mooncrew.CronEvent[]|nil events, string|nil message, string|nil code
function Inspector:cron_history(entry_id, options)
  local native = native_of(self, 2)
  check("entry_id", entry_id, "string", 2)
  options = check_options(options, HISTORY_OPTIONS, 2)
  return native:cron_history(entry_id, options.page or 1, options.size or 30)
end

--- Waits for a task's end. The task when it is completed; its result stands in `result`. Else nil, message and ARCHIVED
--- (the message is the task's last error), GONE (it is not there, or not any more: done and not retained, deleted, or
--- never enqueued), or TIMEOUT.
---@param id string
---@param timeout number|string  seconds or "1m30s"
---@param queue string|nil  "default" unless given
---@return mooncrew.TaskInfo|nil task, string|nil message, string|nil code
function Inspector:wait(id, timeout, queue)
  local native = native_of(self, 2)
  check("id", id, "string", 2)
  check("queue", queue or "default", "string", 2)
  local seconds, wrong = duration.seconds(timeout)
  if not seconds then
    return nil, "timeout: " .. wrong, "INVALID_ARGUMENT"
  end
  return native:wait(queue or "default", id, seconds * 1000)
end

M.methods = Inspector
M.misuse = misuse
M.native_of = native_of

return M

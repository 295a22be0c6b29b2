-- Deletes tasks that are not being worked on, and the uniqueness locks that they hold.
--
-- KEYS[1] pending           list of ids
-- KEYS[2] groups            set of the names of groups
-- KEYS[3] mc_fold_failures  hash: group → its failures in a row
-- ARGV[1] prefix of task keys
-- ARGV[2] prefix of the queue's keys
-- ARGV[3] prefix of group keys
-- ARGV[4] the state that the tasks were found in; empty: whatever they are in
-- ARGV[5] the group that they were found in; empty unless aggregating
-- ARGV[6…] ids
-- RETURNS  a number per id: 1 done, 0 there is no such task, -1 it is active, -3 it does not stand where its state
--          says, -4 it is in another state than the one given
-- ERRORS   WRONGTYPE, with nothing written, when pending is not what it should be
--
-- When a state is given, an id without a task leaves the place where it was found. One whose hash names another state
-- or group stays there: what is contradictory is not for us to lose.
--
-- Where asynq's client adds a unique task to a group it writes no unique_key: only the message, in protobuf, names the
-- lock.
local call, pcall = redis.call, redis.pcall
local PENDING, GROUPS, FAILURES = KEYS[1], KEYS[2], KEYS[3]
local TASK_PREFIX, QUEUE_PREFIX, GROUP_PREFIX, STATE, GROUP = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]
local FIRST = 6
local DONE, MISSING, ACTIVE, ELSEWHERE, CHANGED = 1, 0, -1, -3, -4
local VARINT, BYTES, UNIQUE_KEY = 0, 2, 10 * 8 + 2 -- wire types; the tag of TaskMessage.unique_key
local VARINT_END = 2 ^ 63 -- of ten bytes
local FIELDS_MAX = 16 -- the lock is among these: messages are written in the order of their tags
local MESSAGE_MAX_SIZE = 65536 -- larger ones are not looked into: a thousand of them would hold Redis up

local answers = {}

-- INCLUDE leave

local function read_varint(text, at)
  local value, scale, byte = 0, 1, text:byte(at) or 0
  while byte >= 128 and scale < VARINT_END do
    value, scale, at = value + byte % 128 * scale, scale * 128, at + 1
    byte = text:byte(at) or 0
  end
  return value + byte * scale, at + 1
end

-- The lock that a message names; nil: none, or it is no message.
local function lock_in(message)
  local at = 1
  for _ = 1, FIELDS_MAX do
    local tag, behind = read_varint(message, at)
    local value
    value, at = read_varint(message, behind)
    if tag == UNIQUE_KEY then
      return message:sub(at, at + value - 1)
    elseif tag % 8 == BYTES then
      at = at + value
    elseif tag % 8 ~= VARINT then
      return nil
    end
  end
end

local function lock_of_grouped(key)
  return call("HSTRLEN", key, "msg") <= MESSAGE_MAX_SIZE and lock_in(call("HGET", key, "msg") or "")
end

local function delete(id)
  local key = TASK_PREFIX .. id
  local fields = pcall("HMGET", key, "state", "group", "unique_key")
  local state, group, lock = fields[1] or STATE, fields[2] or GROUP, fields[3]
  if fields.err or call("EXISTS", key) == 0 then
    leave_trace(id)
    return MISSING
  elseif has_changed(state, group) then
    return CHANGED
  elseif state == "active" then
    return ACTIVE
  elseif not leave(state, group, id) then
    return ELSEWHERE
  end
  lock = lock or state == "aggregating" and lock_of_grouped(key)
  if lock and lock ~= "" and pcall("GET", lock) == id then
    call("DEL", key, lock)
  else
    call("DEL", key)
  end
  return DONE
end

call("LLEN", PENDING)
for at = FIRST, #ARGV do
  answers[#answers + 1] = delete(ARGV[at])
end
return answers

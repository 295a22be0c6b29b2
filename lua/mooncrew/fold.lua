-- Folds the tasks of a group into one: decodes their payloads, calls the rule's function, and makes what it returns
-- ready to be enqueued. Nothing that the function does makes this raise.

local copy = require "mooncrew.copy"
local distribute = require "mooncrew.distribute"
local execute = require "mooncrew.execute"
local json = require "mooncrew.json"
local registry = require "mooncrew.registry"

local fold = {}

---@class mooncrew.GroupedTask
---@field id string
---@field type string
---@field raw_payload string  the bytes as they came
---@field headers table<string, string>

-- As a handler of the task's type would have it. Of a type that no script defines: what its JSON says, or the bytes
-- when they are none. No payload is a null, so that the list has no holes.
local function decode(task)
  local definition = registry.find(task.type)
  local fits, payload
  if definition then
    local ok
    ok, fits, payload = pcall(definition.decode, definition, task.raw_payload)
    fits = ok and fits
  elseif task.raw_payload == "" then
    fits = true
  else
    fits, payload = json.decode(task.raw_payload)
    if not fits then
      fits, payload = true, task.raw_payload
    end
  end
  if payload == nil then
    payload = json.null
  end
  return fits, payload
end

local function decode_all(tasks)
  local payloads, unfit = {}, {}
  for i, task in ipairs(tasks) do
    local fits, payload = decode(task)
    if fits then
      payloads[#payloads + 1] = payload
    else
      unfit[#unfit + 1] = i
    end
  end
  return payloads, unfit
end

-- Type, bytes and normal options of the new task, or nil and why there is none.
local function prepare(rule, queue, payload, options)
  if payload == nil then
    return nil, "the fold function returned nothing: it is to return the payload of the folded task"
  elseif options ~= nil and type(options) ~= "table" then
    return nil, ("the fold function's second result must be a table of options, not a %s"):format(type(options))
  end
  options = copy(options)
  local target = options.type or rule.type
  options.type = nil
  if not target then
    return nil, "the folded task has no type: give the rule one, or return it with the options"
  elseif options.queue ~= nil and options.queue ~= queue then
    return nil, ('the folded task stays in its queue, "%s"'):format(queue)
  elseif options.group ~= nil then
    return nil, "the folded task cannot go to a group"
  end
  options.queue = queue
  return distribute.prepare(target, payload, options)
end

--- Folds. `fiber.stopped` says afterwards whether it was told to stop meanwhile.
---@param rule mooncrew.GroupRule
---@param queue string
---@param group string
---@param tasks mooncrew.GroupedTask[]
---@param fiber mooncrew.Fiber
---@return "FOLDED"|"UNFIT"|"FAILED"|"TIMED_OUT"|"CANCELLED" kind
---@return string|integer[] type  FOLDED: of the new task; UNFIT: the places of tasks whose payload does not fit, and
---  nothing was folded; else the error
---@return string|nil bytes  FOLDED: the payload; else the traceback
---@return mooncrew.NormalOptions|nil options  FOLDED
function fold.run(rule, queue, group, tasks, fiber)
  local payloads, unfit = decode_all(tasks)
  if #unfit > 0 then
    return "UNFIT", unfit
  end
  local ok, payload, options = xpcall(rule.fold, execute.on_error, payloads, group, tasks)
  if ok and fiber.stopped == "FAILED" then -- a callback of the fold's did, and it did not hear of it
    ok, payload = false, execute.on_error(fiber.stop_error)
  end
  if not ok then
    local failure = type(payload) == "table" and payload or { text = execute.describe(payload) }
    return fiber.stopped or "FAILED", failure.text or execute.describe(failure), failure.trace
  end
  local prepared, name, bytes, normal = pcall(prepare, rule, queue, payload, options)
  if not prepared then
    return "FAILED", execute.describe(name)
  elseif not name then
    return "FAILED", "the folded task cannot be enqueued: " .. tostring(bytes)
  end
  return "FOLDED", name, bytes, normal
end

return fold

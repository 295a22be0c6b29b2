-- mooncrew gen c: a header and a source over mooncrew.h, with a payload struct, an encode and an enqueue function per
-- task.

local header = require "mooncrew.gen.c_header"
local names = require "mooncrew.gen.names"
local plans = require "mooncrew.gen.c_plan"
local source = require "mooncrew.gen.c_source"

local M = { name = "c", summary = "a C header and source: payload structs, encode and enqueue functions" }

local FORMS = { "%s_payload", "%s_encode", "%s_enqueue" }

-- What mooncrew.h declares begins with mooncrew_, so no name of a task does.
local function name_of(task, prefix)
  local name = prefix .. names.snake(task.words)
  return name:find "^mooncrew" and "task_" .. name or name
end

--- The files, in the order in which they are printed.
---@param tasks mooncrew.gen.Task[]
---@param options { name: string, prefix: string }
---@return { name: string, text: string }[]
function M.files(tasks, options)
  local plan, bases = plans.new(), {}
  for i, task in ipairs(tasks) do
    bases[i] = plan.scope:take(name_of(task, options.prefix), FORMS)
  end
  for i, task in ipairs(tasks) do
    if task.shape then
      plan.by_shape[task] = plan:declare_payload(task.shape, bases[i], task.optional)
    end
  end
  local head = options.name .. ".h"
  return {
    { name = head, text = header.text(tasks, bases, plan, head) },
    { name = options.name .. ".c", text = source.text(tasks, bases, plan, head) },
  }
end

return M

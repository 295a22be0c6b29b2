-- What must not outlive a task: handles, child processes. Whoever makes such a thing on a task's behalf says how it is
-- released, and the end of the task releases what is left.

local host = require "mooncrew.host"
local strand = require "mooncrew.strand"

---@class mooncrew.Scope
---@field fiber mooncrew.Fiber  the task's, until it ends; then another task may have it
---@field task mooncrew.Context|nil
---@field ended boolean
---@field held table<any, fun(thing: any)>
---@field lent table<any, fun(thing: any)>  held weakly
local Scope = {}
Scope.__index = Scope

local WEAK = { __mode = "k" }

local scope = {}

local calling ---@type mooncrew.Scope|nil  whose callback runs; also when its task has ended

--- The scope of a fiber's task.
---@param fiber mooncrew.Fiber
---@return mooncrew.Scope
function scope.of(fiber)
  if not fiber.scope then
    fiber.scope = setmetatable({ fiber = fiber, task = fiber.task, ended = false, held = {},
      lent = setmetatable({}, WEAK) }, Scope)
  end
  return fiber.scope
end

--- Holds a thing until it is dropped; at the end of the task it is released.
---@param thing any
---@param release fun(thing: any)
function Scope:hold(thing, release)
  self.held[thing] = release
end

--- The same for a thing that is also released when it is collected: a task that forgets it need not keep it.
---@param thing table
---@param release fun(thing: any)  must not refer to the thing
function Scope:hold_weakly(thing, release)
  self.lent[thing] = release
end

---@param thing any
---@return boolean
function Scope:holds(thing)
  return self.held[thing] ~= nil or self.lent[thing] ~= nil
end

--- Forgets a thing: it was released, or is to stay.
---@param thing any
function Scope:drop(thing)
  self.held[thing], self.lent[thing] = nil, nil
end

local function release_all(self, things)
  for thing, release in pairs(things) do
    local ok, message = pcall(release, thing)
    if not ok then
      host.log("error", "releasing what a task left behind failed", { error = tostring(message) }, self.task)
    end
  end
end

--- Ends the scope: releases what is held. Also for what was made after the end.
function Scope:close()
  self.ended = true
  local held, lent = self.held, self.lent
  self.held, self.lent = {}, setmetatable({}, WEAK)
  release_all(self, held)
  release_all(self, lent)
end

--- Calls a callback of a scope's, as xpcall does. The errors of the callback are its caller's business.
---@param of mooncrew.Scope|nil  nil: nobody's
---@param callback fun(...)
---@param on_error fun(raised: any): any
---@return boolean ok, any raised  what on_error made of it
function scope.call(of, callback, on_error, ...)
  local outer = calling
  calling = of
  local ok, raised = xpcall(callback, on_error, ...)
  calling = outer
  return ok, raised
end

--- The scope whose callback runs right now, also when its task has ended; nil outside of any.
---@return mooncrew.Scope|nil
function scope.calling()
  return calling
end

--- The scope that what is made right now belongs to; nil outside of tasks: while scripts are loaded, in a hook.
---@return mooncrew.Scope|nil
function scope.owner()
  if calling then
    return calling
  end
  local fiber = strand.acting()
  return fiber and fiber.slot and scope.of(fiber) or nil -- a hook of the worker has no slot
end

--- Lets a thing stay when the task ends that made it: a handle of luv, a connection of one's own to Redis, which other
--- tasks are going to use, too. In a callback of a handle that was kept: what the callback has made, such as a
--- connection that a server accepts.
---@generic T
---@param thing T
---@return T thing
function scope.keep(thing)
  local fiber = strand.acting()
  local of = calling or fiber and fiber.scope
  if of then
    of:drop(thing)
  end
  return thing
end

return scope

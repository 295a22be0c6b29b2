-- The file descriptors that luv gives to tasks as numbers, by fs_open and fs_mkstemp: like a handle, one that its task
-- has not closed is closed at the task's end. A task that is stopped between opening and closing could not do it.
--
-- A number is used again once it is closed, maybe for something of another task. So it is known for each whose it is
-- last, and no other task's end closes it; and it stays open until the requests that were made of it have ended, since
-- those that still stand in line for a thread would be done with whatever has the number by then.

local scope = require "mooncrew.scope"

local M = {}

---@class mooncrew.Descriptor
---@field of mooncrew.Scope  of the task that opened it
---@field requests integer  that have not ended
---@field close fun()|nil  its task has ended: to be called when the last request has

local held = {} ---@type table<integer, mooncrew.Descriptor>

-- What gives one, uses one, and takes one away: fs_close closes it, the others make it a part of a handle.
M.OPENS = { fs_open = true, fs_mkstemp = true }
M.USES = { fs_sendfile = 2 } -- how many; other requests of files one, if any
M.TAKES = { fs_close = 1, new_tty = 1, open = 2, pipe_open = 2, tcp_open = 2, udp_open = 2 }

local function close_unless_used(descriptor)
  if descriptor.close and descriptor.requests == 0 then
    descriptor.close()
  end
end

--- A descriptor was opened for the task that runs, if one does; `close` closes it when the task ends.
---@param fd integer
---@param close fun()
function M.hold(fd, close)
  local of = scope.owner()
  local descriptor = of and { of = of, requests = 0 } or nil
  held[fd] = descriptor
  if not of then
    return
  end
  of:hold(fd, function()
    if held[fd] == descriptor then
      held[fd] = nil
      descriptor.close = close
      close_unless_used(descriptor)
    end
  end)
end

--- A request of a descriptor begins, and has ended when what this returns is called; nil: it is nobody's.
---@param fd any
---@return fun()|nil ended
function M.begin(fd)
  local descriptor = held[fd]
  if not descriptor then
    return nil
  end
  descriptor.requests = descriptor.requests + 1
  return function()
    descriptor.requests = descriptor.requests - 1
    close_unless_used(descriptor)
  end
end

--- A descriptor is closed, or belongs to a handle from now on.
---@param fd any
function M.forget(fd)
  local descriptor = held[fd]
  if descriptor then
    held[fd] = nil
    descriptor.of:drop(fd)
  end
end

return M

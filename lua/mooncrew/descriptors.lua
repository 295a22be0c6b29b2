-- The file descriptors that luv gives to tasks as numbers, by fs_open and fs_mkstemp: like a handle, one that its task
-- has not closed is closed at the task's end. A task that is stopped between opening and closing could not do it.
--
-- A number is used again once it is closed, maybe for something of another task. So it is known for each whose it is
-- last, and no other task's end closes it.

local scope = require "mooncrew.scope"

local M = {}

local owners = {} ---@type table<integer, mooncrew.Scope>

-- What gives one, and what takes one away: fs_close closes it, the others make it a part of a handle.
M.OPENS = { fs_open = true, fs_mkstemp = true }
M.TAKES = { fs_close = 1, new_tty = 1, open = 2, pipe_open = 2, tcp_open = 2, udp_open = 2 }

--- A descriptor was opened for the task that runs, if one does; `close` closes it when the task ends.
---@param fd integer
---@param close fun()
function M.hold(fd, close)
  local of = scope.owner()
  owners[fd] = of
  if of then
    of:hold(fd, function()
      if owners[fd] == of then
        owners[fd] = nil
        close()
      end
    end)
  end
end

--- A descriptor is closed, or belongs to a handle from now on.
---@param fd any
function M.forget(fd)
  local of = type(fd) == "number" and owners[fd]
  if of then
    owners[fd] = nil
    of:drop(fd)
  end
end

return M

-- A pool of connections: so many at most, the waiting served in the order in which they came.
--
--   acquire ──▶ an idle one │ a new one, while there are fewer than size │ wait for one that is given back
--   release ──▶ to the first who waits │ idle, until it was for so long
--   discard ──▶ its place is free: the first who waits may open another
--
-- It knows connections by what its driver does with them: open(seconds) → connection | nil, message, code, which may
-- wait; close(connection).

local await_within = require "mooncrew.await_within"
local host = require "mooncrew.host"

---@class mooncrew.postgres.Pool
---@field size integer
---@field idle_timeout number  seconds
---@field driver table
---@field open integer  connections that are there, or are being opened
---@field idle table[]  {connection, since}; what was used last is last
local Pool = {}
Pool.__index = Pool

local PLACE = {} -- what a waiter gets instead of a connection: the right to open one, counted in `open` already

---@param driver table
---@param size integer
---@param idle_timeout number  seconds
---@return mooncrew.postgres.Pool
function Pool.new(driver, size, idle_timeout)
  return setmetatable({ driver = driver, size = size, idle_timeout = idle_timeout, open = 0, idle = {}, waiters = {},
    first = 1, last = 0 }, Pool)
end

-- Wakes who waits longest; false when nobody does.
local function wake(self, what)
  while self.first <= self.last do
    local resume = self.waiters[self.first]
    self.waiters[self.first] = nil
    self.first = self.first + 1
    if resume then
      resume(what)
      return true
    end
  end
  return false
end

local function wait_in_line(self, seconds)
  return await_within(seconds, function(resume)
    self.last = self.last + 1
    local place = self.last
    self.waiters[place] = resume
    return function()
      self.waiters[place] = false
    end
  end)
end

-- Who is woken may be stopped before it runs. It then raises at its next wait, with the connection or the place in its
-- hands, and gives that back.
local function give_place_up(self)
  if not wake(self, PLACE) then
    self.open = self.open - 1
  end
end

-- Into a place that is counted already.
local function open_another(self, seconds)
  local ok, connection, message, code = pcall(self.driver.open, seconds, self)
  if ok and connection then
    return connection
  end
  give_place_up(self)
  if not ok then
    error(connection, 0)
  end
  return nil, message, code
end

--- A connection for the caller alone, who gives it back by release or discard.
---@param seconds number  for waiting and connecting together
---@return any|nil connection, string? message, string? code
function Pool:acquire(seconds)
  local idle = table.remove(self.idle)
  if idle then
    return idle.connection
  elseif self.open < self.size then
    self.open = self.open + 1
    return open_another(self, seconds)
  end
  local began = host.now()
  local in_time, got = wait_in_line(self, seconds)
  if not in_time then
    return nil, ("all %d connections of the pool were in use for %g s"):format(self.size, seconds), "TIMED_OUT"
  elseif got == PLACE then
    return open_another(self, math.max(0, began + seconds - host.now()))
  end
  return got
end

local function close_idle(self)
  self.sweeping = false
  while self.idle[1] and host.now() - self.idle[1].since >= self.idle_timeout do
    local entry = table.remove(self.idle, 1)
    self.driver.close(entry.connection)
    self.open = self.open - 1
  end
  self:sweep_later()
end

--- Closes what has been idle for too long, when that is so.
function Pool:sweep_later()
  local first = self.idle[1]
  if not first or self.sweeping then
    return
  end
  self.sweeping = true
  host.timer_start(math.max(first.since + self.idle_timeout - host.now(), 0.01), function()
    close_idle(self)
  end)
end

--- Gives a connection back that can be used again.
---@param connection any
function Pool:release(connection)
  if not wake(self, connection) then
    table.insert(self.idle, { connection = connection, since = host.now() })
    self:sweep_later()
  end
end

--- Throws away a connection that was acquired.
---@param connection any
function Pool:discard(connection)
  self.driver.close(connection)
  give_place_up(self)
end

--- An idle connection has gone by itself. Nothing for one that is in use: who uses it will see.
---@param connection any
function Pool:forget(connection)
  for i, entry in ipairs(self.idle) do
    if entry.connection == connection then
      table.remove(self.idle, i)
      self.driver.close(connection)
      give_place_up(self)
      return
    end
  end
end

--- Runs a function with a connection. It is given back afterwards unless it is spoilt, also when the function raises.
---@param seconds number
---@param is_sound fun(connection: any): boolean
---@param use fun(connection: any): any ...
function Pool:with(seconds, is_sound, use)
  local connection, message, code = self:acquire(seconds)
  if not connection then
    return nil, message, code
  end
  local function finish(ok, ...)
    if is_sound(connection) then
      self:release(connection)
    else
      self:discard(connection)
    end
    if not ok then
      error((...), 0)
    end
    return ...
  end
  return finish(pcall(use, connection))
end

return Pool

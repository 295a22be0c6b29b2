-- The timers of a test's clock, in the order in which they end; of those that end at one moment the one that was
-- started first comes first. A heap, since a handler may gather thousands of waits.

---@class mooncrew.testing.Timer
---@field id integer
---@field at number  unix seconds
---@field callback fun()|nil  nil: it was stopped
---@field limit true|nil  a time-out of the task: nothing that the handler waits for

---@class mooncrew.testing.Timers
---@field heap mooncrew.testing.Timer[]  each ends no earlier than the one at half its place
---@field by_id table<integer, mooncrew.testing.Timer>  those that run
---@field last integer
---@field waits integer  those that run and are no limits
local Timers = {}
Timers.__index = Timers

local M = {}

---@return mooncrew.testing.Timers
function M.new()
  return setmetatable({ heap = {}, by_id = {}, last = 0, waits = 0 }, Timers)
end

local function comes_before(a, b)
  return a.at < b.at or a.at == b.at and a.id < b.id
end

local function rise(heap, place)
  local timer = heap[place]
  while place > 1 do
    local above = math.floor(place / 2)
    if not comes_before(timer, heap[above]) then
      break
    end
    heap[place], place = heap[above], above
  end
  heap[place] = timer
end

local function sink(heap, place)
  local timer, size = heap[place], #heap
  while 2 * place <= size do
    local below = 2 * place
    if below < size and comes_before(heap[below + 1], heap[below]) then
      below = below + 1
    end
    if not comes_before(heap[below], timer) then
      break
    end
    heap[place], place = heap[below], below
  end
  heap[place] = timer
end

local function remove_first(heap)
  local last = table.remove(heap)
  if #heap > 0 then
    heap[1] = last
    sink(heap, 1)
  end
end

---@param at number  unix seconds
---@param callback fun()
---@param limit true|nil
---@return integer id
function Timers:start(at, callback, limit)
  self.last = self.last + 1
  local timer = { id = self.last, at = at, callback = callback, limit = limit }
  self.by_id[timer.id] = timer
  self.waits = self.waits + (limit and 0 or 1)
  self.heap[#self.heap + 1] = timer
  rise(self.heap, #self.heap)
  return timer.id
end

--- Stops it; one that does not run is ignored. It leaves the heap when its moment comes.
---@param id integer|nil
function Timers:stop(id)
  local timer = id and self.by_id[id]
  if timer then
    self.by_id[id], timer.callback = nil, nil
    self.waits = self.waits - (timer.limit and 0 or 1)
  end
end

--- The one that ends first.
---@return mooncrew.testing.Timer|nil
function Timers:first()
  local heap = self.heap
  while heap[1] and not heap[1].callback do
    remove_first(heap)
  end
  return heap[1]
end

return M

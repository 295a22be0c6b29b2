-- How far long work is, on standard error: in a terminal one line that is written over and over, elsewhere (a file, a
-- pipe, a job's log) plain lines, no more than one a second and none for what is done within the first.

local uv = require "luv"
local human = require "mooncrew.cli.human"

local M = {}

local LINE_EVERY_S = 1

local function to_stderr(text)
  io.stderr:write(text)
  io.stderr:flush()
end

local function monotonic_s()
  return uv.hrtime() / 1e9
end

local function told(doing, done, total)
  return ("%s: %s of %s"):format(doing, human.count(done), human.count(total))
end

local function on_terminal(doing, write)
  local shown
  return {
    step = function(done, total)
      shown = true
      write("\r" .. told(doing, done, total) .. "\27[K")
    end,
    finish = function()
      if shown then
        write("\r\27[K")
      end
    end,
  }
end

local function in_lines(doing, write, now)
  local last_s = now()
  return {
    step = function(done, total)
      local now_s = now()
      if now_s - last_s >= LINE_EVERY_S then
        last_s = now_s
        write(told(doing, done, total) .. "\n")
      end
    end,
    finish = function() end,
  }
end

---@class mooncrew.cli.Progress
---@field step fun(done: integer, total: integer)
---@field finish fun() clears the line of a terminal

---@class mooncrew.cli.ProgressPlace
---@field terminal boolean
---@field write fun(text: string)
---@field now fun(): number seconds, of a clock that never goes back

---@param doing string "deleting"
---@param place? mooncrew.cli.ProgressPlace instead of standard error
---@return mooncrew.cli.Progress
function M.new(doing, place)
  place = place or { terminal = uv.guess_handle(2) == "tty", write = to_stderr, now = monotonic_s }
  return (place.terminal and on_terminal or in_lines)(doing, place.write, place.now)
end

return M

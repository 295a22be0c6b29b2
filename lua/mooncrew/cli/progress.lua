-- How far long work is, on one line of the terminal that is written over and over. Without a terminal: nothing.

local uv = require "luv"
local human = require "mooncrew.cli.human"

local M = {}

---@class mooncrew.cli.Progress
---@field step fun(done: integer, total: integer)
---@field finish fun() clears the line
---@param doing string "deleting"
---@param write? fun(text: string) instead of the terminal
---@return mooncrew.cli.Progress
function M.new(doing, write)
  if not write and uv.guess_handle(2) ~= "tty" then
    return { step = function() end, finish = function() end }
  end
  write = write or function(text)
    io.stderr:write(text)
    io.stderr:flush()
  end
  local shown
  return {
    step = function(done, total)
      shown = true
      write(("\r%s: %s of %s\27[K"):format(doing, human.count(done), human.count(total)))
    end,
    finish = function()
      if shown then
        write("\r\27[K")
      end
    end,
  }
end

return M

-- What handlers note down. A worker has no way to Redis, so handlers append lines to a file in the test's folder:
-- milliseconds of CLOCK_MONOTONIC, milliseconds since 1970, process id, and the handler's own words.
local Notes = {}
Notes.__index = Notes

-- Comes before every handler script, on one line, so that the script's own lines begin with 2.
local PRELUDE = [[
local crew = require "mooncrew"
local ffi = require "ffi"
local note, here
do
  pcall(ffi.cdef, "typedef struct { long s, ns; } note_time; int clock_gettime(int, note_time *); int getpid(void);")
  local function clock_ms(id)
    local time = ffi.new "note_time"
    ffi.C.clock_gettime(id, time)
    return tonumber(time.s) * 1000 + tonumber(time.ns) / 1e6
  end
  function note(...)
    local words = { ("%%.3f %%.3f %%d"):format(clock_ms(1), clock_ms(0), ffi.C.getpid()) }
    for i = 1, select("#", ...) do
      words[i + 1] = tostring((select(i, ...)))
    end
    local file = assert(io.open(%q, "a"))
    file:write(table.concat(words, "\t"), "\n")
    file:close()
  end
  here = %q
end
local _ = note, here, crew
]]

---@param folder string
function Notes.new(folder)
  return setmetatable({ folder = folder, path = folder .. "/notes" }, Notes)
end

--- A handler script's text with `crew`, `ffi`, `note(word, …)` and `here` (the test's folder) before it.
---@param body string
function Notes:script(body)
  return PRELUDE:format(self.path, self.folder):gsub("\n", " ") .. "\n" .. body
end

--- All notes so far whose first word is this one (all of them without): { at_ms =, wall_ms =, pid =, [1] = word … }.
---@param first? string
function Notes:all(first)
  local found = {}
  local file = io.open(self.path, "rb")
  if not file then return found end
  for line in file:lines() do
    local at, wall, pid, rest = line:match "^(%S+) (%S+) (%d+)\t?(.*)$"
    local entry = { at_ms = tonumber(at), wall_ms = tonumber(wall), pid = tonumber(pid) }
    for word in (rest .. "\t"):gmatch "([^\t]*)\t" do
      entry[#entry + 1] = word
    end
    if not first or entry[1] == first then found[#found + 1] = entry end
  end
  file:close()
  return found
end

--- How many notes begin with a word.
function Notes:count(first)
  return #self:all(first)
end

--- How often each second word was noted with this first word: { id = 2, … }, and how many different ones there are.
function Notes:tally(first)
  local tally, different = {}, 0
  for _, entry in ipairs(self:all(first)) do
    different = different + (tally[entry[2]] and 0 or 1)
    tally[entry[2]] = (tally[entry[2]] or 0) + 1
  end
  return tally, different
end

return Notes

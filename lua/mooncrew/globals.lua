-- Globals in a worker, where all scripts share one Lua state: what a handler does to them must neither break the
-- library nor the handlers beside it.
--
-- The library's own modules get a copy of the standard functions for their globals (runtime/lualib/modules.c). Scripts
-- share the real ones. What of them is taken away while tasks run is still found; what scripts replace or remove while
-- they are loaded stays so, for that is how a project changes its own environment.

local globals = {}

globals.shared = _G -- those of the scripts

local standard = {} -- the tables with standard functions, and the names of what is in them: from before any script ran
for _, library in pairs(_G) do
  if type(library) == "table" and library ~= package then
    local names = {}
    for name in pairs(library) do
      names[#names + 1] = name
    end
    standard[library] = names
  end
end

local function copy(library)
  local copied = {}
  for name, value in pairs(library) do
    copied[name] = value
  end
  return copied
end

-- What was loaded once is not looked for in package.loaded again, which scripts can reach.
local function own_require()
  local real, modules = require, {}
  return function(name)
    if modules[name] == nil then
      modules[name] = real(name)
    end
    return modules[name]
  end
end

-- For code that the library generates; scripts are compiled by load (mooncrew.sources).
local function own_loadstring(own)
  local real, set = loadstring, setfenv
  return function(...)
    local chunk, message = real(...)
    return chunk and set(chunk, own), message
  end
end

--- A new table of globals for the library: copies of the standard libraries, which no script can reach.
---@return table
function globals.own()
  local own = copy(_G)
  for name, library in pairs(own) do
    if standard[library] and library ~= _G then
      own[name] = copy(library)
    end
  end
  own.require = own_require()
  own.loadstring = own_loadstring(own)
  return own
end

--- To be called when the scripts are loaded: from now on, what is removed from the standard libraries is found all the
--- same. A table to which a script has given a metatable is left alone.
function globals.protect()
  for library, names in pairs(standard) do
    local kept = {}
    for _, name in ipairs(names) do
      kept[name] = rawget(library, name)
    end
    if not getmetatable(library) then
      setmetatable(library, { __index = kept })
    end
  end
end

return globals

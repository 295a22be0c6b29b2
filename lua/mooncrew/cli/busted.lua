-- busted inside this program: specs see the modules that are compiled in, and nothing has to be set up.

local M = {}

-- What busted ends the process with is raised instead, so that it comes back here.
local Exit = {}

local function raise_exit(code)
  error(setmetatable({ code = code or 0 }, Exit), 0)
end

-- A handler that ends the process would end the specs with it, those that fail unheard: exit code 0, and no report.
local function refuse_exit()
  error("os.exit ends the process, and the specs with it: let the handler return or raise, or stub os.exit", 2)
end

-- The command line has loaded some of the library: specs are to begin with none of it, as they would elsewhere. Its C
-- halves stay.
local function forget_library()
  for name in pairs(package.loaded) do
    if name == "mooncrew" or name:find "^mooncrew%." and not name:find "^mooncrew%.native" then
      package.loaded[name] = nil
    end
  end
end

local function prepare(args, folder)
  package.path = ("%s/?.lua;%s/?/init.lua;%s"):format(folder, folder, package.path)
  rawset(_G, "arg", { [0] = "mooncrew test", "--ignore-lua", unpack(args) }) -- .busted may name another interpreter
  require("busted.compatibility").exit = raise_exit
  rawset(os, "exit", refuse_exit)
  forget_library()
end

--- Whether busted can be loaded.
---@return boolean
function M.installed()
  return package.searchpath("busted.runner", package.path) ~= nil
end

--- Runs busted.
---@param args string[]  its arguments
---@param folder string  of the scripts: specs may require the modules that stand there
---@return boolean passed
function M.run(args, folder)
  prepare(args, folder)
  local ok, raised = pcall(require "busted.runner", { standalone = false })
  if not ok and getmetatable(raised) ~= Exit then
    error(raised, 0)
  end
  return ok or raised.code == 0
end

return M

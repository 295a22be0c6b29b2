-- A page of docs/ whose code blocks are run, each as what it is, in one project folder, from the top of the page down.
--
--   ```lua, first line a comment with a path   a file of the project, such as `-- scripts/hello.lua`
--   ```lua with a line that begins `describe(`  a spec
--   ```lua                                     a program, run by LuaJIT; MOONCREW_REDIS is set
--   ```lua handler                             the body of a handler, run by a worker of the project; must end well
--   ```sh                                      commands that must succeed
--   ```console                                 commands after `$ `, and what they print: these lines must come, in
--                                              this order; numbers, ids and times may differ, and this machine is
--                                              called app1; `…` leaves out lines, or a part of one. A command
--                                              fails if, and only if, it is shown to print `mooncrew: …`
--   ```log                                     what the node that serves the project says, in the same way
--   ```c and others, first line a path         a file of the project, for the commands
--   ```text, ```ini, ```json                   no code
--   ```go                                      run by `make interop` (gen_test.go)
--
-- A node serves the project while commands and handlers run, and is started again when a file has changed. A command
-- that begins with `mooncrew run` or `mooncrew dev` (which here is `run --watch`: there is a Redis already) starts it
-- in this way, and from then on nothing else does: the page itself loads what it changes. What is printed below such a
-- command must come in the log. At the end `mooncrew check` must pass, and `mooncrew test` where the page has a spec.
--
-- Servers that the examples talk to are there when the page names them: page_services.lua.
local Node = require "node"
local Process = require "process"
local read_file = require "read_file"
local services = require "page_services"
local uv = require "luv"
local wait = require "wait"

local Page = {}
Page.__index = Page

local NO_CODE = { text = true, ini = true, json = true, go = true }
local COMMENTS = { "^%-%-%s+([%w_./-]+%.%a+)%s*$", "^/%*%s+([%w_./-]+%.%a+)%s+%*/$", "^[#/]+%s+([%w_./-]+%.%a+)%s*$" }

-- ---- reading ----

local function path_in(first_line)
  for _, pattern in ipairs(COMMENTS) do
    local path = first_line:match(pattern)
    if path then return path end
  end
end

--- The blocks of a page: {language, what, path, text, line}.
---@param markdown string the file
function Page.blocks(markdown)
  local blocks, block, n = {}, nil, 0
  for line in io.lines(markdown) do
    n = n + 1
    local fence, info = line:match "^(%s*```+)%s*(.-)%s*$"
    if fence and not block then
      block = { language = info:match "^%S*", what = info:match "^%S+%s+(%S+)", lines = {}, line = n }
    elseif fence and info == "" then
      block.path = path_in(block.lines[1] or "")
      block.text = table.concat(block.lines, "\n") .. "\n"
      blocks[#blocks + 1], block = block, nil
    elseif block then
      block.lines[#block.lines + 1] = line
    end
  end
  assert(not block, markdown .. ": a block has no end")
  return blocks
end

-- ---- the project ----

function Page.new(crew, markdown)
  local folder = crew.folder .. "/project"
  assert(uv.fs_mkdir(folder, tonumber("700", 8)))
  return setmetatable({ crew = crew, markdown = markdown, folder = folder, runs = 0, is_stale = true,
    services = services.start(crew, read_file(markdown)) }, Page)
end

--- What the page needs that this machine does not have: a text, or nil.
function Page.missing(markdown)
  return services.missing(read_file(markdown))
end

function Page:environment()
  local env = self.crew.lua_environment()
  for name, value in pairs(self.services) do env[name] = value end
  env.MOONCREW_REDIS = self.crew.server:url()
  env.PATH = Node.program:match "^(.*)/" .. ":" .. os.getenv "PATH"
  return env
end

local function make_folders(path)
  for at in path:gmatch "()/" do
    if at > 1 then uv.fs_mkdir(path:sub(1, at - 1), tonumber("700", 8)) end
  end
end

function Page:write(path, text)
  make_folders(self.folder .. "/" .. path)
  local file = assert(io.open(self.folder .. "/" .. path, "wb"))
  file:write(text)
  file:close()
  self.has_spec = self.has_spec or path:find "_spec%.lua$" ~= nil
  self.has_scripts = self.has_scripts or path:find "^scripts/" ~= nil
  self.is_stale = self.is_stale or path:find "%.lua$" ~= nil
end

-- Runs a program to its end; returns exit code and output.
function Page:run(program, args)
  self.runs = self.runs + 1
  return Process.run(program, { args = args, cwd = self.folder, env = self:environment(),
    output = ("%s/run%d.out"):format(self.crew.folder, self.runs) }, 60 * wait.patience)
end

function Page:must(program, args)
  local code, output = self:run(program, args)
  assert(code == 0, ("%s ended with %s:\n%s"):format(table.concat(args, " "), tostring(code), output))
  return output
end

-- ---- the node that serves it ----

function Page:stop()
  if self.node then
    self.node:send "sigterm"
    self.node:wait(30 * wait.patience)
    self.node = nil
  end
end

--- Starts the node anew, by a command of the page if there is one.
---@param command? string `mooncrew run --watch`
function Page:start(command)
  self:stop()
  self.runs, self.starts_itself = self.runs + 1, command ~= nil
  local args = {}
  for word in (command or "mooncrew run"):gsub("^mooncrew dev", "mooncrew run --watch"):gmatch "%s(%S+)" do
    args[#args + 1] = word
  end
  local node = Process.start(Node.program, { args = args, cwd = self.folder, env = self:environment(),
    output = ("%s/node%d.out"):format(self.crew.folder, self.runs) })
  self.crew:finally(function() if node:alive() then node:kill() end end)
  wait.wait_until("the page's project is served", 30, function()
    assert(node:alive(), node:text())
    return node:text():find "worker ready"
  end)
  self.node, self.is_stale = node, false
end

--- Serves what stands in the project now, if anything does.
function Page:serve()
  if self.has_scripts and not self.starts_itself and (self.is_stale or not self.node) then self:start() end
end

-- ---- kinds of blocks ----

local run_block = {}

function run_block.file(page, block)
  page:write(block.path, block.text)
end

function run_block.spec(page, block)
  page:write(("spec/docs_%d_spec.lua"):format(block.line), block.text)
end

function run_block.lua(page, block)
  local path = page.crew:file(("program%d.lua"):format(block.line), block.text)
  page:serve()
  page:must("/usr/bin/luajit", { path })
end

local HANDLER = [[
local crew = require "mooncrew"
crew.task("docs:%d", { max_retry = 0, retention = "1h", perform = function(payload, task)
%send })
]]

function run_block.handler(page, block)
  page:write(("scripts/docs_%d.lua"):format(block.line), HANDLER:format(block.line, block.text))
  page:serve()
  page:must(Node.program, { "enqueue", "docs:" .. block.line, "{}", "--task-id", "docs-" .. block.line })
  page:must(Node.program, { "wait", "docs-" .. block.line, "--timeout", "30s" })
end

function run_block.sh(page, block)
  page:serve()
  page:must("/bin/bash", { "-euo", "pipefail", "-c", block.text })
end

local own_name = "%f[%w]" .. uv.os_gethostname():gsub("%p", "%%%0") .. "%f[^%w-]"

-- What differs from run to run and from machine to machine, out of the way.
local function plain(line)
  line = line:gsub(own_name, "app1")
  line = line:gsub("%x%x%x%x%x%x%x%x%-%x+%-%x+%-%x+%-%x+", "ID"):gsub("%d%d%d%d%-%d%d%-%d%dT[%d:.]+Z", "TIME")
  return (line:gsub("%d+[%d.]*", "N"):gsub("%s+", " "):gsub("^ ", ""):gsub(" $", ""))
end

local function is_as(line, wanted)
  local pattern = plain(wanted):gsub("%p", "%%%0"):gsub("%s*…%s*", ".*")
  return line:find("^" .. pattern .. "$") ~= nil
end

-- The first of the expected lines that an output lacks, nil when it has them all.
local function find_missing(output, expected)
  local rest = {}
  for line in output:gmatch "[^\n]+" do
    rest[#rest + 1] = plain(line)
  end
  local at = 1
  for _, wanted in ipairs(expected) do
    if wanted ~= "…" then
      while rest[at] and not is_as(rest[at], wanted) do at = at + 1 end
      if not rest[at] then return wanted end
      at = at + 1
    end
  end
end

local function expect(output, expected, command)
  local missing = find_missing(output, expected)
  assert(not missing, ("`%s` does not print %q, but\n%s"):format(command, tostring(missing), output))
end

local function expect_log(page, expected)
  wait.wait_until("the node has said all that the page shows", 20, function()
    local text = page.node:text()
    local missing = find_missing(text, expected)
    return not missing, missing and ("%s is missing in\n%s"):format(missing, text)
  end)
end

function run_block.log(page, block)
  local lines = {}
  for line in block.text:gmatch "[^\n]+" do lines[#lines + 1] = line end
  page:serve()
  expect_log(page, lines)
end

local function is_server(command)
  return command:find "^mooncrew run%f[%W]" or command:find "^mooncrew dev%f[%W]"
end

local function shows_failure(lines)
  for _, line in ipairs(lines) do
    if line:find "^mooncrew: " then return true end
  end
  return false
end

local function run_command(page, command)
  if is_server(command.text) then
    page:start(command.text)
    return expect_log(page, command.output)
  end
  page:serve()
  local code, output = page:run("/bin/bash", { "-c", command.text })
  expect(output, command.output, command.text)
  assert((code ~= 0) == shows_failure(command.output), ("`%s` ends with %d:\n%s"):format(command.text, code, output))
end

function run_block.console(page, block)
  local commands = {}
  for line in block.text:gmatch "[^\n]+" do
    local command = line:match "^%$ (.*)"
    if command then
      commands[#commands + 1] = { text = command, output = {} }
    else
      table.insert(assert(commands[1] and commands[#commands].output, "a console block begins with `$ `"), line)
    end
  end
  for _, command in ipairs(commands) do run_command(page, command) end
end

local function kind_of(block)
  if block.path then return "file" end
  if block.language == "lua" and ("\n" .. block.text):find "\ndescribe%(" then return "spec" end
  return block.language == "lua" and block.what == "handler" and "handler" or block.language
end

--- Runs every block of the page; raises with the block's place when one does not do what it says.
function Page:run_all()
  local ran = 0
  for _, block in ipairs(Page.blocks(self.markdown)) do
    if not NO_CODE[block.language] or block.path then
      local run = run_block[kind_of(block)]
      local where = ("%s:%d"):format(self.markdown, block.line)
      assert(run, ("%s: nobody knows how to run ```%s; a file's first line is its path"):format(where, block.language))
      local ok, message = pcall(run, self, block)
      assert(ok, ("%s: %s"):format(where, tostring(message)))
      ran = ran + 1
    end
  end
  self:stop()
  if self.has_scripts then self:must(Node.program, { "check" }) end
  if self.has_spec then self:must(Node.program, { "test" }) end
  return ran
end

return Page

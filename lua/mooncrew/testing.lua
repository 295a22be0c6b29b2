-- Testing handlers: load a script, perform its task with a payload, see what became of it. No Redis, no worker, and a
-- clock that stands until something moves it. It runs under `mooncrew test`, and in plain busted on LuaJIT.
--
--   local testing = require "mooncrew.testing"
--   local definition = testing.load("scripts/send_verify_email.lua")
--   local run = testing.perform(definition, { username = "ada" })
--   assert.done(run)
--
-- Every piece has a file of its own: mooncrew.testing.run says what a run is, mooncrew.testing.world what surrounds it.

if not rawget(_G, "jit") then -- plain Lua 5.1 cannot wait inside of pcall, as handlers do
  error("mooncrew.testing needs LuaJIT: run `mooncrew test`, or `busted --lua=luajit`", 0)
end

local clocks = require "mooncrew.testing.clock"
local loading = require "mooncrew.testing.loading"
local patience = require "mooncrew.testing.patience"
local perform = require "mooncrew.testing.perform"
local session = require "mooncrew.testing.session"
local stubs = require "mooncrew.testing.stubs"
local worker = require "mooncrew.testing.worker"

require "mooncrew.testing.assertions"

local testing = {}

testing.load = loading.load
testing.load_all = loading.load_all
testing.perform = perform.perform
testing.start = perform.start
testing.fold = require "mooncrew.testing.fold"
testing.drain = require "mooncrew.testing.drain"
testing.start_worker = worker.start
testing.stop_worker = worker.stop

--- A clock that stands until the test moves it: clock:advance("10s"). Runs that share it share the tasks they enqueue.
---@param now number|nil  unix seconds; the time of day unless given
---@return mooncrew.testing.Clock
function testing.clock(now)
  if now ~= nil and type(now) ~= "number" then
    error(("testing.clock: expected unix seconds, got %s"):format(type(now)), 2)
  end
  return clocks.new(now)
end

--- How long a handler may take in real time until it is killed, in this file: 5 s unless said. A run can say it for
--- itself, by its option give_up_after.
---@param time number|string|false  seconds or "1m"; false: as long as it takes
function testing.give_up_after(time)
  patience.set_default(time)
end

--- Answers the requests of crew.http until the test ends.
---@param stub table|fun(request: table): table|nil, string|nil, string|nil  a function of the request, or answers by
---  "METHOD url", where "*" stands for anything
function testing.stub_http(stub)
  stubs.set("http", stub, "stub_http")
end

--- Really sends the requests of crew.http, until the test ends. The clock stands still meanwhile.
function testing.allow_http()
  stubs.set("http", "real", "allow_http")
end

--- Says what becomes of the messages of crew.mail until the test ends; without it, all of them are taken.
---@param stub fun(message: table): nil, string|nil, string|nil  returns nil, message, code for one that fails
function testing.stub_mail(stub)
  stubs.set("mail", stub, "stub_mail")
end

--- Answers for the programs of crew.exec until the test ends.
---@param stub table|fun(request: table): table|nil, string|nil, string|nil  a function of the request, or results by
---  the command, where "*" stands for anything
function testing.stub_exec(stub)
  stubs.set("exec", stub, "stub_exec")
end

--- Answers the commands of crew.redis until the test ends.
---@param stub table|fun(command: string[]): any  a function of the command's words, or replies by the command, where
---  "*" stands for anything; a reply may be a function of the words. nil, text is an error of Redis
function testing.stub_redis(stub)
  stubs.set("redis", stub, "stub_redis")
end

--- Answers the queries of crew.postgres until the test ends.
---@param stub table|fun(sql: string, params: any[]): table|nil, string|nil, string|nil  a function of the statement,
---  or rows by statement, where "*" stands for anything; rows may be a function too. nil, message, code is a failure
function testing.stub_postgres(stub)
  stubs.set("postgres", stub, "stub_postgres")
end

--- Forgets stubs and the last run. busted does so after each test; elsewhere the test has to.
testing.reset = session.reset

return testing

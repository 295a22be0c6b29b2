-- mooncrew reload: has the servers of this machine load their scripts anew, and says what came of it.

local json = require "mooncrew.json"
local uv = require "luv"
local duration = require "mooncrew.duration"
local human = require "mooncrew.cli.human"
local output = require "mooncrew.cli.output"
local own_process = require "mooncrew.cli.own_process"
local session = require "mooncrew.cli.session"

local M = { name = "reload", summary = "have the servers of this machine load their scripts anew" }

local POLL_MS = 50

function M.describe(parser)
  parser:description("Has every server of this machine that works on the same Redis load its scripts anew, while it "
    .. "goes on with what it runs, and waits until the new scripts serve. Scripts that do not load are refused, with "
    .. "file and line; then the old ones serve on. Only scripts are loaded: another configuration needs a restart.")
  parser:option("--pid"):argname("N"):convert(tonumber):description("only the server with this process id")
  parser:option("--server"):argname("ID"):description("only this server: its id, or HOST:PID")
  parser:option("--timeout"):argname("DURATION"):default("1m"):description("how long to wait for the outcome")
  session.describe(parser)
end

-- ---- which servers ----

local function is_chosen(server, given)
  if given.pid and server.pid ~= given.pid then
    return false
  end
  return not given.server or server.id == given.server or ("%s:%d"):format(server.host, server.pid) == given.server
end

-- Those of the list that are asked for and are processes of this machine.
local function choose(servers, given)
  local chosen, elsewhere = {}, 0
  for _, server in ipairs(servers) do
    if server.generation and is_chosen(server, given) then
      if server.host == uv.os_gethostname() and own_process.serves(server.pid) then
        chosen[#chosen + 1] = server
      else
        elsewhere = elsewhere + 1
      end
    end
  end
  return chosen, elsewhere
end

local function none_found(given, elsewhere)
  local which = (given.pid or given.server) and "this server does not run" or "no server of mooncrew runs"
  local message = which .. " on this machine with this Redis: see `mooncrew server ls`"
  if elsewhere > 0 then
    message = ("%s (%s elsewhere: reload there, or send HUP to its process)"):format(message,
      human.many(elsewhere, "server"))
  end
  return nil, message, "NO_SERVER"
end

-- ---- what comes of it ----

---@class mooncrew.cli.Reload one server
---@field server mooncrew.ServerInfo as it was before
---@field now mooncrew.ServerInfo|nil as it was seen last
---@field target integer|nil the number of reloads that must have been answered
---@field error string|nil
---@field code string|nil of the error
---@field done boolean

local function fail(reload, message, code)
  reload.error, reload.code, reload.done = message, code, true
end

local function signal(server)
  local reload = { server = server, done = false }
  local ok, why = uv.kill(server.pid, "sighup")
  if not ok then
    fail(reload, ("cannot signal process %d: %s"):format(server.pid, why), "FAILED")
  end
  return reload
end

local function look(reload, now)
  reload.now = now or reload.now
  if not now then -- Redis may have forgotten it, at a restart; a server that lives tells again
    if not own_process.serves(reload.server.pid) then
      fail(reload, "the server has stopped", "NO_SERVER")
    end
    return
  end
  if not reload.target and now.reloads_asked > reload.server.reloads_asked then
    reload.target = now.reloads_asked
  end
  if reload.target and now.reloads_answered >= reload.target then
    reload.error, reload.done = now.reload_error, true
    reload.code = reload.error and "RELOAD_REFUSED"
  end
end

-- Looks at all that are not done; true when none is left.
local function look_at_all(client, reloads)
  local servers, message, code = client:servers { tasks = false }
  if not servers then
    return nil, message, code
  end
  local by_id, done = {}, true
  for _, server in ipairs(servers) do
    by_id[server.id] = server
  end
  for _, reload in ipairs(reloads) do
    if not reload.done then
      look(reload, by_id[reload.server.id])
    end
    done = done and reload.done
  end
  return done
end

local function pause()
  local timer = uv.new_timer()
  timer:start(POLL_MS, 0, function() timer:close() end)
  uv.run()
end

local function overdue_text(reload)
  local now = reload.now or reload.server
  if now.draining > 0 then
    return ("not in time: %s of the generation before still finish what they run; the reload waits for that"):format(
      human.many(now.draining, "worker"))
  end
  return "not in time: see the server's log"
end

local function await(client, reloads, seconds)
  local deadline = uv.hrtime() / 1e9 + seconds
  repeat
    local done, message, code = look_at_all(client, reloads)
    if done == nil then
      return nil, message, code
    end
    if done then
      return true
    end
    pause()
  until uv.hrtime() / 1e9 > deadline
  for _, reload in ipairs(reloads) do
    if not reload.done then
      fail(reload, overdue_text(reload), "TIMEOUT")
    end
  end
  return true
end

-- ---- telling ----

local function error_text(reload)
  local now = reload.now or reload.server
  local text = ("%s:%d: %s"):format(now.host, now.pid, reload.error)
  return reload.code == "NO_SERVER" and text or ("%s (generation %d serves on)"):format(text, now.generation)
end

local function print_done(reload)
  local now = reload.now or reload.server
  output.line("%s:%d: reloaded, generation %d serves%s", now.host, now.pid, now.generation, now.draining == 0 and "" or
    (", %s of the one before finish what they run"):format(human.many(now.draining, "worker")))
end

-- All but the last of those that failed are told here.
local function tell(reloads)
  local last
  for _, reload in ipairs(reloads) do
    if not reload.error then
      print_done(reload)
    else
      if last then
        output.complain(error_text(last))
      end
      last = reload
    end
  end
  return nil, last and error_text(last), last and last.code
end

local function tell_program(reloads)
  local list, failed = {}, nil
  for i, reload in ipairs(reloads) do
    local now = reload.now or reload.server
    list[i] = { id = now.id, host = now.host, pid = now.pid, ok = reload.error == nil, error = reload.error,
      code = reload.code, generation = now.generation, draining = now.draining }
    failed = failed or (reload.error and reload)
  end
  local fields = { servers = json.array(list) }
  if not failed then
    return output.json(fields)
  end
  return nil, error_text(failed), failed.code, fields
end

local function reload_all(client, given, seconds)
  local servers, message, code = client:servers { tasks = false }
  if not servers then
    return nil, message, code
  end
  local chosen, elsewhere = choose(servers, given)
  if #chosen == 0 then
    return none_found(given, elsewhere)
  end
  local reloads = {}
  for i, server in ipairs(chosen) do
    reloads[i] = signal(server)
  end
  local ok
  ok, message, code = await(client, reloads, seconds)
  if not ok then
    return nil, message, code
  end
  return (given.json and tell_program or tell)(reloads)
end

function M.run(given)
  local seconds, wrong = duration.seconds(given.timeout)
  if not seconds then
    return nil, "--timeout: " .. wrong, "USAGE"
  end
  return session.with_client(given, function(client)
    return reload_all(client, given, seconds)
  end)
end

return M

-- A private PostgreSQL in a temporary folder, on a unix socket; with tcp = true on a free port of 127.0.0.1 as well.
--
--   local server = Postgres.new():start()
--   server:url()                       postgres:///postgres?host=/tmp/…&user=postgres
--   server:psql "SELECT 1"             what psql prints, without headers
--   server:stop "sigint"               ends it at once; start() runs it again on the same data
--   server:destroy()                   ends it and removes the folder
--
-- initdb refuses root, so as root it all runs as the user postgres, whom the folder belongs to.
local Process = require "process"
local uv = require "luv"
local wait = require "wait"

local Postgres = {}
Postgres.__index = Postgres

local BIN_FOLDERS = "/usr/lib/postgresql"
local SETTINGS = { "fsync=off", "full_page_writes=off", "shared_buffers=16MB", "max_connections=60",
  "autovacuum=off", "logging_collector=off" }

-- The newest version's programs.
local function find_bin()
  local newest
  local scan = uv.fs_scandir(BIN_FOLDERS)
  for name in function() return scan and uv.fs_scandir_next(scan) end do
    if tonumber(name) and (not newest or tonumber(name) > newest) then newest = tonumber(name) end
  end
  return newest and ("%s/%d/bin/"):format(BIN_FOLDERS, newest)
end

--- Whether PostgreSQL is installed; a test that needs it is pending where it is not.
function Postgres.installed()
  return find_bin() ~= nil
end

local function is_root()
  return uv.getuid() == 0
end

-- setpriv -- program args… as postgres when we are root.
local function as_postgres(program, args)
  if not is_root() then return program, args end
  local all = { "--pdeathsig", "KILL", "--reuid", "postgres", "--regid", "postgres", "--init-groups", "--", program }
  for _, argument in ipairs(args) do all[#all + 1] = argument end
  return "setpriv", all
end

local function run(self, program, args)
  local path, all = as_postgres(self.bin .. program, args)
  local output = ("%s/%s.out"):format(self.logs, program)
  os.remove(output)
  local code, text = Process.run(path, { args = all, cwd = self.folder, output = output }, 60 * wait.patience)
  return code, text
end

local function make_folder(self)
  self.folder = assert(uv.fs_mkdtemp "/tmp/mooncrew-pg-XXXXXX")
  self.logs = assert(uv.fs_mkdtemp "/tmp/mooncrew-pg-log-XXXXXX")
  if not is_root() then return end
  local code = Process.run("chown", { args = { "postgres", self.folder }, output = self.logs .. "/chown" }, 10)
  assert(code == 0, "chown failed")
end

-- A certificate that is its own authority, for localhost.
local function make_certificate(self)
  local script = ("umask 077; openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -keyout %s -out %s")
    :format(self.data .. "/server.key", self.data .. "/server.crt")
  local path, all = as_postgres("sh", { "-c", script })
  local code, text = Process.run(path, { args = all, cwd = self.folder, output = self.logs .. "/openssl.out" }, 60)
  assert(code == 0, "openssl failed:\n" .. text)
end

--- A cluster that is initialised and not started. Options: tcp; tls (over tcp; needs openssl); password (of the user
--- postgres, then asked for over tcp); settings ("name=value", …).
---@param options? { tcp: boolean?, tls: boolean?, password: string?, settings: string[]? }
function Postgres.new(options)
  local bin = assert(find_bin(), "PostgreSQL is not installed")
  local self = setmetatable({ bin = bin, options = options or {} }, Postgres)
  make_folder(self)
  self.data = self.folder .. "/data"
  local args = { "-D", self.data, "-U", "postgres", "-E", "UTF8", "--no-sync", "--auth-local=trust",
    "--auth-host=" .. (self.options.password and "scram-sha-256" or "trust"), "--locale=C" }
  if self.options.password then
    local file = assert(io.open(self.logs .. "/password", "w"))
    file:write(self.options.password, "\n")
    file:close()
    uv.fs_chmod(self.logs, tonumber("755", 8))
    args[#args + 1] = "--pwfile=" .. self.logs .. "/password"
  end
  local code, text = run(self, "initdb", args)
  assert(code == 0, "initdb failed:\n" .. text)
  if self.options.tls then make_certificate(self) end
  return self
end

local function free_port()
  local tcp = uv.new_tcp()
  assert(tcp:bind("127.0.0.1", 0))
  local port = tcp:getsockname().port
  tcp:close()
  uv.run "nowait"
  return port
end

--- Starts it and waits until it answers.
function Postgres:start()
  if self.options.tcp then self.port = self.port or free_port() end
  local args = { "-D", self.data, "-k", self.folder, "-h", self.options.tcp and "127.0.0.1" or "",
    "-p", tostring(self.port or 5432) }
  for _, list in ipairs { SETTINGS, { self.options.tls and "ssl=on" }, self.options.settings or {} } do
    for _, setting in ipairs(list) do
      args[#args + 1] = "-c"
      args[#args + 1] = setting
    end
  end
  local path, all = as_postgres(self.bin .. "postgres", args)
  self.process = Process.start(path, { args = all, cwd = self.folder, output = self.logs .. "/postgres.log" })
  wait.wait_until("PostgreSQL answers", 60, function()
    if not self.process:alive() then error("PostgreSQL ended:\n" .. self.process:text(), 0) end
    local code, text = run(self, "psql", self:psql_args "SELECT 1")
    return code == 0, text
  end)
  return self
end

function Postgres:psql_args(sql)
  return { "-h", self.folder, "-p", tostring(self.port or 5432), "-U", "postgres", "-d", "postgres", "-XAtq",
    "-c", sql }
end

--- What psql prints for a statement, without the last newline. Errors are raised.
---@param sql string
---@return string
function Postgres:psql(sql)
  local code, text = run(self, "psql", self:psql_args(sql))
  if code ~= 0 then error("psql: " .. text, 2) end
  return (text:gsub("\n$", ""))
end

--- The address, over the unix socket.
function Postgres:url()
  return ("postgres:///postgres?host=%s&port=%d&user=postgres"):format(self.folder, self.port or 5432)
end

--- The address over tcp.
---@param host? string
function Postgres:tcp_url(host)
  local password = self.options.password or "none"
  return ("postgres://postgres:%s@%s:%d/postgres"):format(password, host or "127.0.0.1", self.port)
end

--- Ends it, "sigint" (at once, connections are ended), "sigterm" (waits for clients), "sigquit" (as a crash), and
--- waits.
---@param signal string
function Postgres:stop(signal)
  if self.process:alive() then self.process:send(signal) end
  self.process:wait(30 * wait.patience)
end

local function remove_tree(path)
  local scan = assert(uv.fs_scandir(path))
  for name, kind in function() return uv.fs_scandir_next(scan) end do
    if kind == "directory" then remove_tree(path .. "/" .. name) else uv.fs_unlink(path .. "/" .. name) end
  end
  assert(uv.fs_rmdir(path))
end

function Postgres:destroy()
  if self.process and self.process:alive() then self:stop "sigquit" end
  remove_tree(self.folder)
  remove_tree(self.logs)
end

return Postgres

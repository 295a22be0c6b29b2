-- The pools of servers, as tables and as JSON; asynq's servers have none.

local json = require "mooncrew.json"
local output = require "mooncrew.cli.output"

local M = {}

local function named(servers)
  for _, server in ipairs(servers) do
    for _, pool in ipairs(server.pools or {}) do
      if pool.name ~= "" then
        return true
      end
    end
  end
  return false
end

local function by_name(pools)
  local sorted = {}
  for i, pool in ipairs(pools or {}) do
    sorted[i] = pool
  end
  table.sort(sorted, function(a, b)
    return a.name < b.name
  end)
  return sorted
end

--- How many tasks a server has in hand. Where it tells of its pools, by them: they are told at another moment than
--- asynq's ServerInfo, and what is shown must add up.
---@param server mooncrew.ServerInfo
---@return integer
function M.busy(server)
  local busy = 0
  for _, pool in ipairs(server.pools or {}) do
    busy = busy + pool.busy
  end
  return server.pools and #server.pools > 0 and busy or server.active_workers
end

--- Prints a table of the pools, behind an empty line, when a server has named ones.
---@param servers mooncrew.ServerInfo[]
function M.print(servers)
  if not named(servers) then
    return
  end
  local rows = {}
  for _, server in ipairs(servers) do
    for _, pool in ipairs(by_name(server.pools)) do
      rows[#rows + 1] = { ("%s:%d"):format(server.host, server.pid), pool.name == "" and "-" or pool.name,
        ("%d of %d"):format(pool.serving, pool.workers), pool.concurrency,
        ("%d of %d"):format(pool.busy, pool.workers * pool.concurrency) }
    end
  end
  output.line("")
  output.write(output.grid({ "SERVER", "POOL", ">WORKERS", ">CONCURRENCY", ">TASKS" }, rows))
end

--- For programs: { { name =, workers =, serving =, concurrency =, busy = } … }
---@param pools mooncrew.PoolInfo[]|nil
function M.json(pools)
  return json.array(by_name(pools))
end

return M

-- Enqueues from Lua, outside any worker: luajit demo/enqueue.lua URL. One line per task: name, id, queue.

local crew = require "mooncrew"

local function enqueue(client, name, type, payload, options)
  local info, message, code = client:enqueue(type, payload, options)
  if not info then
    error(("%s was not enqueued: %s (%s)"):format(type, message, code))
  end
  print(table.concat({ name, info.id, info.queue }, "\t"))
end

local client = assert(crew.client(arg[1]))
enqueue(client, "lua_email", "task:send_verify_email", { username = "sofia" }, { queue = "critical", retention = "1h" })
enqueue(client, "flaky", "demo:flaky", { failures = 2 }, { retention = "1h" })
enqueue(client, "stranger", "task:send_verify_email", { username = "nobody" }, { queue = "critical", retention = "1h" })

-- Events for the digests of two users, gathered by their groups.
for i, username in ipairs { "ada", "ada", "grace", "ada" } do
  local event = { at = os.time() + i, text = ("Somebody answered you for the %d. time"):format(i) }
  assert(client:enqueue("digest:page", { events = { event } }, { queue = "low", group = "digest:" .. username }))
end
client:close()

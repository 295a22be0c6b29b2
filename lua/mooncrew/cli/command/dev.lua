-- mooncrew dev: like run, with a private Redis that is started for it and keeps its data in .mooncrew/.

local flags = require "mooncrew.cli.flags"
local output = require "mooncrew.cli.output"
local pools_text = require "mooncrew.cli.pools_text"
local private_redis = require "mooncrew.cli.private_redis"
local scripts = require "mooncrew.scripts"
local settings = require "mooncrew.cli.settings"
local words = require "mooncrew.schema.words"

local M = { name = "dev", summary = "run workers with a private Redis, for development; needs no configuration" }

function M.describe(parser)
  parser:description("Starts a redis-server of its own on a unix socket, which keeps its data in .mooncrew/, and runs "
    .. "workers on it. Other commands that are started in the same folder find it by themselves, unless another "
    .. "Redis is configured. It ends together with mooncrew. A script that is changed is loaded at once.")
  flags.add(parser, nil, "redis")
end

-- Commands in this folder use the private Redis only where no other one is configured.
local function warn_of_other_redis(resolved)
  local source = resolved.values.redis.source
  if source ~= "default" and source ~= private_redis.SOURCE then
    output.warn(("%s names another Redis, %s: commands in this folder use that one, `mooncrew dev` uses its own")
      :format(source, resolved:redis_shown()))
  end
end

-- Whoever develops changes scripts all the time.
local function watch_by_default(resolved)
  if resolved.values.watch.source == "default" then
    assert(resolved:apply { { name = "watch", text = "true", source = "mooncrew dev" } })
  end
end

-- "3 scripts in tasks/", "1 script in tasks/"
local function what_runs(found, folder)
  local count = #found == 0 and "no script" or words.plural(#found, "script")
  return ("%s in %s/"):format(count, (folder:gsub("/+$", "")))
end

function M.run(given)
  local resolved, message, code = settings.resolve(given)
  if not resolved then
    return nil, message, code
  end
  watch_by_default(resolved)
  local folder, found = resolved.values.scripts.text
  found, message = scripts.find(folder)
  if not found then
    return nil, message
  end
  if #found == 0 then
    output.warn(scripts.none(folder))
  end
  warn_of_other_redis(resolved)
  local redis
  redis, message = private_redis.start()
  if not redis then
    return nil, message
  end
  assert(resolved:use_redis(redis.url, private_redis.SOURCE))
  local workers = pools_text.workers(resolved.values.pools.text, tonumber(resolved.values.workers.text))
  output.line("mooncrew dev: %s %s on a private Redis (pid %d, data in %s/) at %s",
    words.plural(workers, "worker runs", "workers run"), what_runs(found, folder), redis.pid, private_redis.FOLDER,
    redis.url)
  return { run = true, config = resolved.config, redis = redis.pid, redis_folder = redis.folder }
end

return M

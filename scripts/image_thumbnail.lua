-- image:thumbnail: makes a small copy of a picture, by a program of its own process.
--
-- The program is ImageMagick's convert, or the one that APP_THUMBNAILER names: a command of words, in which {source},
-- {target} and {width} are filled in, with no shell between. {target} ends as the wanted file does. For example:
--
--   APP_THUMBNAILER="vipsthumbnail {source} --size {width} -o {target}"
--   APP_THUMBNAILER="gm convert {source} -thumbnail {width}x{width} {target}"
--
-- Pictures lie in the folder of APP_DATA, below which all paths are; "a/cat.png" gets "thumbnails/a/cat-320.png".
--
-- Decoding pictures takes processors and memory. So these tasks have a queue of their own, and in mooncrew.lua a pool
-- of their own that does two at a time, while all that waits for networks goes on beside it:
--
--   pools = {
--     io  = { workers = 2, concurrency = 500, queues = { critical = 6, default = 3, low = 1 } },
--     cpu = { workers = 1, concurrency = 2, queues = { images = 1 } },
--   },
--
-- (A handler that computes itself, and does not wait for a program, wants workers = 2, concurrency = 1 instead.)
--
-- A task that is cancelled, runs out of time, or whose worker dies takes its program with it.

local crew = require "mooncrew"
local file_name = require "lib.file_name"
local files = require "lib.files"
local storage = require "lib.storage"
local template = require "lib.template"
local uv = require "luv"

local schema = crew.schema

-- [0] is the first of several pictures in one file, as moving ones are: the others would become files of their own.
local CONVERT = "convert {source}[0] -auto-orient -thumbnail {width}x{width} {target}"
local PROGRAM_TIMEOUT = "1m"
local MOST_OUTPUT = 64 * 1024 -- bytes of what the program says
local WORDS_OF_AN_ERROR = 300 -- bytes of it that are kept

-- What a program that reads pictures of strangers has no use for.
local ENVIRONMENT = { APP_DATABASE_URL = false, APP_WEBHOOK_SECRET = false, MOONCREW_SMTP_URL = false }

-- Folders and a file, with an ending: no "..", nothing hidden, nothing that looks like an option or a pattern.
local PATH = "^([A-Za-z0-9_][A-Za-z0-9_.-]*/)*[A-Za-z0-9_][A-Za-z0-9_.-]*\\.[A-Za-z0-9]+$"

-- Links that lead out of the folder are not followed.
local function find_source(folder, path)
  local real, message, code = uv.fs_realpath(folder .. "/" .. path)
  if not real then
    return nil, message, code == "ENOENT"
  end
  local root = assert(uv.fs_realpath(folder))
  if real:sub(1, #root + 1) ~= root .. "/" then
    return nil, path .. " leads out of the folder of pictures", true
  end
  return real
end

-- Where the thumbnail goes, and where it is made: beside it, under a name that the next run of this task takes again.
local function places(folder, payload, task)
  local stem, ending = payload.path:match("^(.*)(%.%w+)$")
  local target = ("%s/thumbnails/%s-%d%s"):format(folder, stem, payload.width, ending)
  local aside = ("%s/.%s%s"):format(target:match("^(.*)/"), file_name.of(task.id):gsub("%%", "="), ending)
  return target, aside
end

local function command(values)
  local argv = {}
  for word in (os.getenv("APP_THUMBNAILER") or CONVERT):gmatch("%S+") do
    argv[#argv + 1] = template.fill(word, values)
  end
  return argv
end

local function run(argv)
  local ended, message = crew.exec(argv, {
    timeout = PROGRAM_TIMEOUT, output_limit = MOST_OUTPUT, env = ENVIRONMENT,
  })
  if not ended then
    error(message, 0)
  elseif ended.code ~= 0 then
    local how = ended.signal and "signal " .. ended.signal or "exit code " .. ended.code
    error(("%s ended with %s: %s"):format(argv[1], how, ended.stderr:sub(1, WORDS_OF_AN_ERROR)), 0)
  end
end

-- Who looks at the target meets a whole thumbnail, or none.
local function make(source, target, aside, width)
  assert(files.make_folder(target:match("^(.*)/")))
  run(command { source = source, target = aside, width = tostring(width) })
  local made = uv.fs_stat(aside)
  if not made or made.size == 0 then
    error("the program said that all went well, and wrote no picture", 0)
  end
  assert(files.sync_and_move(aside, target))
  return made.size
end

return crew.task("image:thumbnail", {
  queue = "images", max_retry = 3, timeout = "2m", retention = "24h",
  payload = schema.object {
    path = schema.string { pattern = PATH, max_length = 200 },
    width = schema.integer { min = 16, max = 2048 }:default(320),
  },
  perform = function(payload, task)
    local folder = storage.folder()
    local source, problem, final = find_source(folder, payload.path)
    if not source then
      if final then task:skip_retry(problem) end
      error(problem, 0)
    end
    local target, aside = places(folder, payload, task)
    local ok, size = pcall(make, source, target, aside, payload.width)
    if not ok then
      uv.fs_unlink(aside)
      error(size, 0) -- as it was: also what stops the task comes through here
    end
    task.log:info("made a thumbnail", { path = payload.path, width = payload.width })
    return { path = target:sub(#folder + 2), bytes = size }
  end,
})

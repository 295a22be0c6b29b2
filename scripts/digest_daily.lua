-- digest:daily: once a day each user gets one mail with all that happened to them, however much it was.
--
--   something happens ──▶ digest:page, one event, in the group "digest:<user>"     producers, many a second
--                              │ crew.aggregate, when the user's group is quiet or full
--                              ▼
--                         digest:page, many events ──▶ stored                      one write for a whole burst
--
--   crew.cron, 7 o'clock ──▶ digest:daily ──▶ digest:mail for each user with pages ──▶ a mail; the pages are removed
--
-- A producer, in any language, enqueues an event like this:
--
--   crew.enqueue("digest:page", { events = { { at = os.time(), text = "Ada answered you" } } },
--     { queue = "low", group = "digest:grace" })
--
-- The group gathers bursts: a hundred events in a minute are one row, not a hundred. Cron decides when mail goes out.
-- Each step may run twice without harm: a page is stored under the id of its task; there is one digest:mail a day and
-- user, by its task id; and when that one runs again after it has sent, its letter has the same Message-ID.
--
-- The environment says (and lib/storage.lua and lib/post.lua, where things are kept and how mail is sent):
--
--   APP_DIGEST_AT     when the mails go out; "0 7 * * *" unless set, by the clocks of
--   APP_DIGEST_ZONE   "Europe/Paris" unless set
--   APP_DIGEST_QUIET  how long nothing must happen before a user's events are stored; "1m" unless set

local accounts = require "lib.accounts"
local crew = require "mooncrew"
local pages = require "lib.pages"
local post = require "lib.post"
local template = require "lib.template"

local schema = crew.schema

local QUEUE, PREFIX = "low", "digest:"
local ZONE = os.getenv("APP_DIGEST_ZONE") or "Europe/Paris"

-- ---- events, and how they become pages ----

local event = schema.object {
  at = schema.integer { min = 0 }, -- unix seconds
  text = schema.string { min_length = 1, max_length = 500 },
}

-- The group's name says whose page it is: producers need not say it twice. A page has a name of its own then.
crew.task("digest:page", {
  queue = QUEUE, max_retry = 20, timeout = "1m", retention = "1h",
  payload = schema.object {
    username = schema.string():optional(),
    events = schema.array(event, { min_items = 1 }),
  },
  perform = function(payload, task)
    if (payload.username or "") == "" then
      task:skip_retry("it is nobody's page: enqueue it with the group digest:<user name>")
    end
    assert(pages.open():add(task.id, payload.username, payload.events))
    return { events = #payload.events }
  end,
})

crew.aggregate {
  queue = QUEUE, group = PREFIX .. "*", type = "digest:page",
  grace_period = os.getenv("APP_DIGEST_QUIET") or "1m", max_delay = "10m", max_size = 500,
  fold = function(payloads, group)
    local events = {}
    for _, page in ipairs(payloads) do
      for _, one in ipairs(page.events) do
        events[#events + 1] = one
      end
    end
    return { username = group:sub(#PREFIX + 1), events = events }
  end,
}

-- ---- the mail of the day ----

local TEXT = "Hello {name},\n\nthis is what happened:\n\n{events}\n"
local HTML = "<!DOCTYPE html>\n<html>\n<body>\n<p>Hello {name},</p>\n<p>this is what happened:</p>\n<ul>\n"
local HTML_EVENT = "<li>{time} {text}</li>\n"
local HTML_END = "</ul>\n</body>\n</html>\n"

local function events_of(list)
  local events = {}
  for _, page in ipairs(list) do
    for _, one in ipairs(page.events) do
      events[#events + 1] = one
    end
  end
  table.sort(events, function(a, b)
    return a.at < b.at
  end)
  return events
end

local function letter_to(user, events, task)
  local lines, items = {}, {}
  for i, one in ipairs(events) do
    local time = os.date("!%H:%M", one.at)
    lines[i] = ("- %s %s"):format(time, one.text)
    items[i] = template.fill_html(HTML_EVENT, { time = time, text = one.text })
  end
  return {
    to = user, id = task.id, date = os.time(),
    subject = #events == 1 and "One thing happened" or #events .. " things happened",
    text = template.fill(TEXT, { name = user.name, events = table.concat(lines, "\n") }),
    html = template.fill_html(HTML, { name = user.name }) .. table.concat(items) .. HTML_END,
  }
end

local mail = crew.task("digest:mail", {
  queue = QUEUE, max_retry = 10, timeout = "2m", retention = "24h",
  payload = schema.object {
    username = schema.string { min_length = 1 },
  },
  perform = function(payload, task)
    local store = pages.open()
    local list = assert(store:of(payload.username))
    if #list == 0 then
      return { events = 0 } -- an earlier run has sent them
    end
    local user, problem = accounts.open():find_user(payload.username)
    if not user then
      if problem then error(problem) end
      task:skip_retry("no user has the name " .. payload.username)
    end
    local events = events_of(list)
    local sent, why, final = post.send(letter_to(user, events, task))
    if not sent then
      if final then task:skip_retry(why) end
      error(why, 0)
    end
    assert(store:remove(payload.username, list))
    return { events = #events, pages = #list, message_id = sent.message_id, path = sent.path }
  end,
})

-- The same day and user give the same id, so that a second run of digest:daily adds nothing.
local function enqueue_mail(username, day)
  local id = ("digest-%s-%s"):format(day, username)
  local info, message, code = mail:enqueue({ username = username }, { task_id = id })
  if not info and code ~= "TASK_ID_CONFLICT" then
    error(message, 0)
  end
  return info ~= nil
end

local daily = crew.task("digest:daily", {
  queue = QUEUE, max_retry = 5, timeout = "10m", retention = "24h",
  perform = function(_, task)
    local users, day, enqueued = assert(pages.open():users()), os.date("!%Y-%m-%d"), 0
    for i, username in ipairs(users) do
      enqueued = enqueued + (enqueue_mail(username, day) and 1 or 0)
      task:progress(i / #users)
    end
    task.log:info("enqueued digests", { users = #users, enqueued = enqueued })
    return { users = #users, enqueued = enqueued }
  end,
})

-- "latest": when every node was down at seven, the mails go out as soon as one is back.
crew.cron(os.getenv("APP_DIGEST_AT") or "0 7 * * *", daily, nil, { timezone = ZONE, missed = "latest", id = "digest" })

return daily

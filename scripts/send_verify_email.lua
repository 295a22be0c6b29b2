-- task:send_verify_email: writes to a new user, with a link that proves the address is theirs.
--
-- The environment says where things are:
--   APP_DATA  the folder of the accounts (lib/accounts.lua) and of the Maildir that mail goes to; "data" unless set
--   APP_URL   where the link leads; "http://localhost:8080" unless set

local accounts = require "lib.accounts"
local crew = require "mooncrew"
local maildir = require "lib.maildir"
local message = require "lib.message"
local uv = require "luv"

local schema = crew.schema

local LINK_LIFETIME_S = 24 * 3600

local TEXT = [[
Hello {name},

please confirm that this address is yours:

{link}

The link works for one day. If you did not ask for it, do nothing.
]]

local HTML = [[
<!DOCTYPE html>
<html>
<body>
<p>Hello {name},</p>
<p>please confirm that this address is yours:</p>
<p><a href="{link}">Confirm my address</a></p>
<p>The link works for one day. If you did not ask for it, do nothing.</p>
</body>
</html>
]]

local ENTITIES = { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;", ['"'] = "&quot;", ["'"] = "&#39;" }

local function escape_html(text)
  return (text:gsub("[&<>\"']", ENTITIES))
end

local function fill(template, values)
  return (template:gsub("{(%l+)}", values))
end

-- The same for every run of a task: should it run twice, mail programs see that it is one message.
local function message_id(task)
  local left = task.id:gsub("[^%w-]", function(byte)
    return ("=%02X"):format(byte:byte())
  end)
  return left .. "@" .. uv.os_gethostname()
end

local function render(user, link, id, now)
  return message.render({
    from = { name = "The mooncrew example", email = "crew@example.org" },
    to = user,
    subject = "Is this your address, " .. user.name .. "?",
    date = now,
    id = id,
    text = fill(TEXT, { name = user.name, link = link }),
    html = fill(HTML, { name = escape_html(user.name), link = escape_html(link) }),
  })
end

return crew.task("task:send_verify_email", {
  queue = "critical", max_retry = 10, timeout = "30s", retention = "24h",
  payload = schema.object {
    username = schema.string { min_length = 1, max_length = 64 },
  },
  perform = function(payload, task)
    local data = os.getenv("APP_DATA") or "data"
    local store = accounts.open(data)
    local user, problem = store:find_user(payload.username)
    if not user then
      -- A broken store may be whole again at the next try; a user who is not there will not come.
      if problem then error(problem) end
      task:skip_retry("no user has the name " .. payload.username)
    end

    local now = os.time()
    local secret = assert(store:issue_secret(payload.username, now + LINK_LIFETIME_S))
    local link = (os.getenv("APP_URL") or "http://localhost:8080") .. "/verify/" .. secret
    local id = message_id(task)
    local mail, reason = render(user, link, id, now)
    if not mail then
      task:skip_retry(reason)
    end
    local path = assert(maildir.deliver(data .. "/Maildir", mail))
    task.log:info("delivered", { to = user.email, path = path })
    return { message_id = id, path = path }
  end,
})

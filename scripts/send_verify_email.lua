-- task:send_verify_email: writes to a new user, with a link that proves the address is theirs.
--
-- A task may run twice: its worker may die when the mail server has the message and nobody was told so. Therefore what
-- a run makes is kept by the id of its task, in a transaction, before anything is sent. The second run finds the secret
-- of the first one, so that a user never has two links of one task; it sends nothing when the first one had noted that
-- it was sent; and if it sends after all, the message has the same Message-ID, by which mail programs know it again.
--
-- Nothing has to be configured to try it: accounts are files and mail goes to a Maildir, both in the folder "data".
-- For real use the environment says:
--
--   APP_DATABASE_URL   PostgreSQL, with the tables of scripts/sql/schema.sql (lib/storage.lua)
--   MOONCREW_SMTP_URL  the mail server: smtp://user:password@host:587 (lib/post.lua)
--   APP_MAIL_FROM      the sender's address
--   APP_URL            where the link leads; "http://localhost:8080" unless set

local accounts = require "lib.accounts"
local crew = require "mooncrew"
local post = require "lib.post"
local template = require "lib.template"

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

local function letter_to(user, secret, task, now)
  local values = { name = user.name, link = (os.getenv("APP_URL") or "http://localhost:8080") .. "/verify/" .. secret }
  return {
    to = user, id = task.id, date = now,
    subject = "Is this your address, " .. user.name .. "?",
    text = template.fill(TEXT, values),
    html = template.fill_html(HTML, values),
  }
end

return crew.task("task:send_verify_email", {
  queue = "critical", max_retry = 10, timeout = "2m", retention = "24h",
  payload = schema.object {
    username = schema.string { min_length = 1, max_length = 64 },
  },
  perform = function(payload, task)
    local store = accounts.open()
    local user, problem = store:find_user(payload.username)
    if not user then
      -- A store that fails may be back at the next try; a user who is not there will not come.
      if problem then error(problem) end
      task:skip_retry("no user has the name " .. payload.username)
    end

    local now = os.time()
    local verification = assert(store:verification(task.id, payload.username, now + LINK_LIFETIME_S))
    if verification.sent then
      task.log:info("sent before", { to = user.email })
      return { sent_before = true }
    end

    local sent, why, final = post.send(letter_to(user, verification.secret, task, now))
    if not sent then
      if final then task:skip_retry(why) end
      error(why, 0) -- at the next try the server may have room again
    end
    assert(store:note_sent(task.id))
    task.log:info("sent", { to = user.email, message_id = sent.message_id })
    return sent
  end,
})

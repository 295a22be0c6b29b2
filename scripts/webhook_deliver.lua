-- webhook:deliver: tells another service of an event, by a signed POST of JSON to its URL.
--
-- What the receiver gets, besides the body:
--
--   Idempotency-Key    the task's id, the same at every try: who has seen it has got the event already
--   Webhook-Timestamp  unix seconds of this try
--   Webhook-Signature  v1=<HMAC-SHA256 of "<timestamp>.<body>" under the secret that both know, in hexadecimal>
--
-- It compares the signature, refuses timestamps that are minutes old, and answers 2xx. What it answers decides:
--
--   2xx                       done
--   408, 429, 5xx, no answer  tried again: when Retry-After says, within limits, else after ever longer delays
--   410                       the receiver wants no more of these: archived, and so are
--   3xx and other 4xx         redirects are not followed: a signed body goes where it was meant to go, or nowhere
--
-- The environment says the secret: APP_WEBHOOK_SECRET. It stands in no payload, result, error or log line.
--
-- Who can enqueue this task can make your servers send requests. If that is not only you, check the URL against a list.

local crew = require "mooncrew"
local hmac = require "lib.hmac"
local retry_after = require "lib.retry_after"

local schema = crew.schema

local TIMEOUT = "15s"
local MAX_ANSWER = 64 * 1024 -- bytes: nothing is read out of it
local SOONEST_S, LATEST_S = 1, 6 * 3600 -- for what Retry-After may ask

local AGAIN = { [408] = true, [429] = true }

-- What no later try will change: the URL, or a receiver that answers with a book.
local FINAL = { INVALID_URL = true, TOO_LARGE = true }

local function secret()
  local value = os.getenv("APP_WEBHOOK_SECRET")
  if not value or value == "" then
    error("APP_WEBHOOK_SECRET is not set: the secret that the receiver checks signatures with", 0)
  end
  return value
end

local function post(payload, task)
  local body = crew.json.encode({ event = payload.event, data = payload.data })
  local timestamp = tostring(os.time())
  return crew.http.post(payload.url, {
    body = body, timeout = TIMEOUT, redirects = 0, max_size = MAX_ANSWER,
    headers = {
      ["Content-Type"] = "application/json",
      ["Idempotency-Key"] = task.id,
      ["Webhook-Timestamp"] = timestamp,
      ["Webhook-Signature"] = "v1=" .. hmac.sha256(secret(), timestamp .. "." .. body),
    },
  })
end

-- Does not return.
local function refused(response, task)
  local status = response.status
  local why = "the receiver answered " .. status
  if status < 500 and not AGAIN[status] then
    task:skip_retry(status == 410 and why .. ": it wants no more events, so unsubscribe it" or why)
  end
  local wait = retry_after.seconds(response.headers["Retry-After"], os.time())
  if wait then
    task:retry_in(math.min(math.max(wait, SOONEST_S), LATEST_S), why)
  end
  error(why, 0)
end

return crew.task("webhook:deliver", {
  queue = "default", max_retry = 12, timeout = "30s", retention = "24h",
  retry = { "10s", "30s", "2m", "10m", "30m", "1h", "2h" },
  payload = schema.object {
    url = schema.string { pattern = "^https?://", max_length = 2048 },
    event = schema.string { min_length = 1, max_length = 128 },
    data = schema.any(),
  },
  perform = function(payload, task)
    local response, message, code = post(payload, task)
    if not response then
      if FINAL[code] then task:skip_retry(message) end
      error(message, 0)
    end
    if not response.ok then
      refused(response, task)
    end
    task.log:info("delivered", { event = payload.event, status = response.status })
    return { status = response.status, attempts = task.retried + 1 }
  end,
})

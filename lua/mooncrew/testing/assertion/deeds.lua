-- Assertions about what a run did, by their names: see mooncrew.testing.assertions.

local describe = require "mooncrew.testing.describe"
local glob = require "mooncrew.testing.glob"
local json = require "mooncrew.json"
local match = require "mooncrew.testing.match"
local options_of = require "mooncrew.options"

local function any(items, fits)
  for _, item in ipairs(items) do
    if fits(item) then
      return true
    end
  end
  return false
end

-- What is said when a list does not hold what it should, or does.
local function list_message(run, what, items, line, none)
  return function(wanted)
    local there = #items == 0 and "but " .. none or "there is\n" .. describe.list(items, line)
    local text = ("expected %s %s; %s"):format(wanted and "one" or "no", what, there)
    return run.outcome == "done" and text or text .. "\n" .. describe.outcome(run)
  end
end

local function want(caller, value, kind, what)
  if type(value) ~= kind then
    error(("assert.%s: expected %s (%s), got %s"):format(caller, what, kind, type(value)), 0)
  end
end

-- The options in the runtime's terms, as if they had been given when the task was enqueued.
local function normal_options(options, at)
  local now_ms = options_of.now_ms
  options_of.now_ms = function()
    return at * 1000
  end
  local normal, message = options_of.normalize(options)
  options_of.now_ms = now_ms
  return normal or error("assert.enqueued: options: " .. message, 0)
end

local function task_line(task)
  return ("%s %s %s"):format(task.type, task.raw_payload ~= "" and describe.value(task.payload) or "without a payload",
    next(task.options) and describe.value(task.options) or "")
end

local function with(value)
  return value ~= nil and " with " .. describe.value(value) or ""
end

local deeds = {}

function deeds.enqueued(run, given)
  local type_name, payload, options = given[1], given[2], given[3]
  want("enqueued", type_name, "string", "a task type")
  local found = any(run.enqueued, function(task)
    return task.type == type_name and (payload == nil or match.matches(payload, task.payload))
      and (options == nil or match.matches(normal_options(options, task.enqueued_at), task.options))
  end)
  return found, list_message(run, ("enqueued task %s%s%s"):format(type_name, with(payload), with(options)),
    run.enqueued, task_line, "nothing was enqueued")
end

function deeds.logged(run, given)
  local event, fields = given[1], given[2]
  want("logged", event, "string", "an event")
  local found = any(run.logs, function(line)
    return line.message == event and (fields == nil or match.matches(fields, line.fields))
  end)
  return found, list_message(run, ("log line %s%s"):format(describe.value(event), with(fields)), run.logs,
    function(line)
      return ("%s %s %s"):format(line.level, describe.value(line.message), describe.value(line.fields))
    end, "nothing was logged")
end

-- An address as a test may write it: alone, or with the name before it.
local function is_mailbox(expected, mailbox)
  if type(mailbox) == "string" then
    return mailbox == expected
  end
  local named = mailbox.name and ("%s <%s>"):format(mailbox.name, mailbox.address)
  return expected == mailbox.address or expected == named
end

-- One address is one of those in the field; of a list each is to be there.
local function addressed(expected, field)
  if type(expected) == "table" and not expected.address then
    for _, one in ipairs(expected) do
      if not addressed(one, field) then
        return false
      end
    end
    return true
  end
  local mailboxes = type(field) == "table" and not field.address and field or { field }
  return any(mailboxes, function(mailbox)
    return type(expected) == "string" and is_mailbox(expected, mailbox) or match.matches(expected, mailbox)
  end)
end

local ADDRESSES = { from = true, to = true, cc = true, bcc = true, reply_to = true }

local function mail_fits(expected, mail)
  for name, value in pairs(expected) do
    local fits = ADDRESSES[name] and addressed or match.matches
    if not fits(value, mail[name]) then
      return false
    end
  end
  return true
end

local function mail_line(mail)
  return ("to %s, subject %s%s"):format(table.concat(mail.recipients or {}, ", "), describe.value(mail.subject),
    mail.error and ": refused, " .. tostring(mail.error) or "")
end

function deeds.mailed(run, given)
  local expected = given[1] or {}
  want("mailed", expected, "table", "the fields of a message")
  local found = any(run.mails, function(mail)
    return not mail.error and mail_fits(expected, mail)
  end)
  return found, list_message(run, "message" .. with(given[1]), run.mails, mail_line, "nothing was mailed")
end

-- Names of headers mean the same in any case.
local function lower_names(headers)
  local lower = {}
  for name, value in pairs(headers or {}) do
    lower[type(name) == "string" and name:lower() or name] = value
  end
  return lower
end

local function field_fits(name, expected, request)
  if name == "headers" then
    return match.matches(lower_names(expected), lower_names(request.headers))
  elseif name == "json" and request.json == nil then
    local ok, value = json.decode(request.body or "")
    return ok and match.matches(expected, value)
  end
  return match.matches(expected, request[name])
end

local function request_fits(method, url, fields, request)
  if request.method ~= method or not glob.matches(request.url, url) then
    return false
  end
  for name, expected in pairs(fields or {}) do
    if not field_fits(name, expected, request) then
      return false
    end
  end
  return true
end

function deeds.requested(run, given)
  local method, url, fields = given[1], given[2], given[3]
  want("requested", method, "string", "a method")
  want("requested", url, "string", 'a URL, in which "*" may stand for anything')
  local found = any(run.requests, function(request)
    return request_fits(method, url, fields, request)
  end)
  return found, list_message(run, ("request %s %s%s"):format(method, url, with(fields)), run.requests, function(request)
    return ("%s %s %s"):format(request.method, request.url, request.body and describe.value(request.body) or "")
  end, "nothing was requested")
end

return deeds

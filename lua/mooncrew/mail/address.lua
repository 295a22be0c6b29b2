-- Mail addresses: "Zoë Müller <zoe@example.com>", "zoe@example.com" or {name=, address=}.
--
-- An address is plain ASCII: a local part of atoms and dots, and a domain of letters, digits and hyphens. What RFC 5322
-- allows beyond that (quoted local parts, comments) nobody has, and it is where headers are smuggled in.

local native = require "mooncrew.native"

local M = {}

---@class mooncrew.mail.Mailbox
---@field name string|nil
---@field address string

local MAX_LOCAL, MAX_ADDRESS = 64, 254 -- bytes (RFC 5321)

local function is_domain(domain)
  if #domain > 253 or domain:find("..", 1, true) or domain:find("^%.") or domain:find("%.$") then
    return false
  end
  for label in domain:gmatch("[^.]+") do
    if #label > 63 or label:find("[^%w-]") or label:find("^%-") or label:find("%-$") then
      return false
    end
  end
  return true
end

local function is_local(left)
  return #left <= MAX_LOCAL and not left:find("[^%w.!#$%%&'*+/=?^_`{|}~-]") and not left:find("..", 1, true)
    and not left:find("^%.") and not left:find("%.$")
end

local function check_address(address)
  local left, domain = address:match("^([^@]+)@([^@]+)$")
  if not left then
    return nil, ("'%s' is no mail address"):format(address)
  elseif address:find("[\128-\255]") then
    return nil, ("'%s' is not ASCII: write the domain as xn--…; other local parts are not supported"):format(address)
  elseif #address > MAX_ADDRESS or not is_local(left) or not is_domain(domain) then
    return nil, ("'%s' is no mail address"):format(address)
  end
  return address
end

local function check_name(name)
  if name:find("[%c\127]") then
    return nil, "a name has a line break or control character"
  elseif not native.utf8_valid(name) then
    return nil, "a name is not valid UTF-8"
  end
  return name
end

local function mailbox(name, address)
  local checked, message = check_address(address)
  if not checked then
    return nil, (message:gsub("%c", "?"))
  elseif name == nil or name == "" then
    return { address = address }
  end
  name, message = check_name(name)
  if not name then
    return nil, message
  end
  return { name = name, address = address }
end

-- "Müller, Zoë" in quotes → without them
local function unquote(name)
  local inner = name:match('^"(.*)"$')
  return inner and inner:gsub("\\(.)", "%1") or name
end

local function from_text(text)
  local name, address = text:match("^[ \t]*(.-)[ \t]*<[ \t]*([^<>]*)>[ \t]*$")
  if name then
    return mailbox(unquote(name), address)
  end
  return mailbox(nil, text:match("^[ \t]*(.-)[ \t]*$"))
end

--- Reads one address.
---@param given string|table
---@return mooncrew.mail.Mailbox|nil mailbox, string|nil message
---@return string|nil code  INVALID_ADDRESS; nil: wrong type, misuse
function M.read(given)
  if type(given) == "string" then
    local box, message = from_text(given)
    return box, message, not box and "INVALID_ADDRESS" or nil
  elseif type(given) ~= "table" or type(given.address) ~= "string" or type(given.name or "") ~= "string" then
    return nil, ('expected "Name <name@example.com>" or {name=, address=}, got %s'):format(type(given))
  end
  local box, message = mailbox(given.name, given.address)
  return box, message, not box and "INVALID_ADDRESS" or nil
end

--- Reads one address or a list of them; nil is an empty list.
---@param given any
---@return mooncrew.mail.Mailbox[]|nil list, string|nil message, string|nil code
function M.read_all(given)
  if given == nil then
    return {}
  elseif type(given) ~= "table" or given.address ~= nil then
    given = { given }
  end
  local list = {}
  for i, one in ipairs(given) do
    local box, message, code = M.read(one)
    if not box then
      return nil, message, code
    end
    list[i] = box
  end
  return list
end

return M

-- Identifiers of other languages, from task types, field names and enum values, which may be any text.

local M = {}

-- Words in which Go's style keeps all letters large.
local INITIALISMS = {}
for word in ("api dns html http https id ip json rpc sql ssh tcp tls ttl udp ui uid uri url uuid xml"):gmatch "%w+" do
  INITIALISMS[word] = true
end

local function code_point(char)
  local first = char:byte(1)
  local code = first < 0xe0 and first % 0x20 or first < 0xf0 and first % 0x10 or first % 0x08
  for i = 2, #char do
    code = code * 64 + char:byte(i) % 64
  end
  return ("u%04x"):format(code)
end

--- The words of a text, in small letters: "task:sendEmail" → { "task", "send", "email" }. What is no ASCII stands there
--- as its code point.
---@param text string
---@return string[]
function M.words(text)
  text = text:gsub("[\192-\255][\128-\191]*", code_point):gsub("([%l%d])(%u)", "%1 %2")
  local words = {}
  for word in text:gmatch "%w+" do
    words[#words + 1] = word:lower()
  end
  return words
end

--- "send_email"; empty when there is no word.
---@param words string[]
---@return string
function M.snake(words)
  return table.concat(words, "_")
end

--- "SendEmail"; empty when there is no word.
---@param words string[]
---@return string
function M.pascal(words)
  local parts = {}
  for i, word in ipairs(words) do
    parts[i] = INITIALISMS[word] and word:upper() or word:gsub("^%l", string.upper)
    if i > 1 and parts[i]:find "^%d" and parts[i - 1]:find "%d$" then -- 1_23 is not 12_3
      parts[i] = "_" .. parts[i]
    end
  end
  return table.concat(parts)
end

--- "SendEmail", and an X before a digit.
---@param words string[]
---@param otherwise string  when there is no word
---@return string
function M.exported(words, otherwise)
  local name = M.pascal(words)
  if name == "" then
    return otherwise
  end
  return name:find "^%d" and "X" .. name or name
end

---@class mooncrew.gen.Scope  names that are taken
local Scope = {}
Scope.__index = Scope

--- A scope in which these words, with spaces between them, are no names: they get an underscore behind them.
---@param reserved string|nil
---@return mooncrew.gen.Scope
function M.scope(reserved)
  local self = setmetatable({}, Scope)
  for name in (reserved or ""):gmatch "%S+" do
    self[name] = "reserved"
  end
  return self
end

local function is_free(self, name, forms)
  for _, form in ipairs(forms) do
    if rawget(self, form:format(name)) then
      return false
    end
  end
  return true
end

--- Takes a name: the one wanted, or with a number behind it. All of its forms are taken.
---@param wanted string
---@param forms string[]|nil  formats, such as "%s_count"; { "%s" } unless given
---@return string
function Scope:take(wanted, forms)
  forms = forms or { "%s" }
  wanted = wanted:find "^%d" and "x" .. wanted or wanted
  wanted = forms[1] == "%s" and rawget(self, wanted) == "reserved" and wanted .. "_" or wanted
  local name, count = wanted, 1
  while not is_free(self, name, forms) do
    count = count + 1
    name = ("%s_%d"):format(wanted, count)
  end
  for _, form in ipairs(forms) do
    self[form:format(name)] = true
  end
  return name
end

return M

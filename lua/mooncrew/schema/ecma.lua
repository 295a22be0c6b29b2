-- Regular expressions of JSON Schema, which are ECMAScript's, as PCRE2 reads them. The dialects share nearly all; what
-- differs in writing only is rewritten here: \u0041, \u{1F600}, \uD83D\uDE00, \p{Letter}, \p{Script=Greek}, the
-- classes [] and [^], a "[" inside of a class; and what has more of Unicode there: \s has its spaces, "." is no end of
-- a line.

local M = {}

-- The long names of general categories.
local CATEGORIES = {
  Letter = "L", Cased_Letter = "L&", Uppercase_Letter = "Lu", Lowercase_Letter = "Ll", Titlecase_Letter = "Lt",
  Modifier_Letter = "Lm", Other_Letter = "Lo", Mark = "M", Nonspacing_Mark = "Mn", Spacing_Mark = "Mc",
  Enclosing_Mark = "Me", Number = "N", Decimal_Number = "Nd", digit = "Nd", Letter_Number = "Nl", Other_Number = "No",
  Punctuation = "P", punct = "P", Connector_Punctuation = "Pc", Dash_Punctuation = "Pd", Open_Punctuation = "Ps",
  Close_Punctuation = "Pe", Initial_Punctuation = "Pi", Final_Punctuation = "Pf", Other_Punctuation = "Po",
  Symbol = "S", Math_Symbol = "Sm", Currency_Symbol = "Sc", Modifier_Symbol = "Sk", Other_Symbol = "So",
  Separator = "Z", Space_Separator = "Zs", Line_Separator = "Zl", Paragraph_Separator = "Zp", Other = "C",
  Control = "Cc", Format = "Cf", Surrogate = "Cs", Private_Use = "Co", Unassigned = "Cn",
}

local function property(letter, name)
  local value = name:match("^[%a_]+=(.*)$") or name
  return ("\\%s{%s}"):format(letter, CATEGORIES[value] or value)
end

local ANY_BUT_LINE_ENDS = "[^\\n\\r\\x{2028}\\x{2029}]"
local SPACES = "\\s\\x{a0}\\x{feff}\\x{2028}\\x{2029}\\p{Zs}"

-- One of four digits, or two that are the halves of a character.
local function unicode_at(pattern, at)
  local high, low = pattern:match("^u([dD][89aAbB]%x%x)\\u([dD][c-fC-F]%x%x)", at)
  if high then
    return ("\\x{%x}"):format((tonumber(high, 16) - 0xd800) * 0x400 + tonumber(low, 16) - 0xdc00 + 0x10000), 11
  end
  local hex = pattern:match("^u(%x%x%x%x)", at)
  if hex then
    return ("\\x{%s}"):format(hex), 5
  end
end

-- How an escape is written for PCRE2, and how long it is here.
local function escape_at(pattern, at, in_class)
  local unicode, size = unicode_at(pattern, at)
  if unicode then
    return unicode, size
  end
  local long = pattern:match("^u{(%x+)}", at)
  if long then
    return ("\\x{%s}"):format(long), #long + 3
  end
  local letter, name = pattern:match("^([pP]){([^}]*)}", at)
  if letter then
    return property(letter, name), #name + 3
  end
  local character = pattern:sub(at, at)
  if character == "s" then
    return in_class and SPACES or "[" .. SPACES .. "]", 1
  elseif character == "S" and not in_class then
    return "[^" .. SPACES .. "]", 1
  end
  return "\\" .. character, 1
end

-- What else is written in another way, how long it is, and whether a class has begun or goes on.
local function plain_at(pattern, at, in_class)
  local character = pattern:sub(at, at)
  if character == "." then
    return in_class and "." or ANY_BUT_LINE_ENDS, 1, in_class
  elseif character == "]" then
    return "]", 1, false
  elseif in_class then
    return "\\[", 1, true
  elseif pattern:find("^%[%]", at) then
    return "(?!)", 2, false
  elseif pattern:find("^%[%^%]", at) then
    return "[\\s\\S]", 3, false
  end
  return "[", 1, true
end

--- The pattern for PCRE2.
---@param pattern string
---@return string
function M.translate(pattern)
  local out, at, in_class = {}, 1, false
  while true do
    local odd = pattern:find("[\\%[%].]", at)
    if not odd then
      return table.concat(out) .. pattern:sub(at)
    end
    local text, size
    if pattern:sub(odd, odd) == "\\" then
      text, size = escape_at(pattern, odd + 1, in_class)
      size = size + 1
    else
      text, size, in_class = plain_at(pattern, odd, in_class)
    end
    out[#out + 1] = pattern:sub(at, odd - 1) .. text
    at = odd + size
  end
end

return M

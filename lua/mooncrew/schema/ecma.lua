-- Regular expressions of JSON Schema, which are ECMAScript's, as PCRE2 reads them. The dialects share nearly all; what
-- differs in writing only is rewritten here: \u0041, \u{1F600}, \p{Letter}, \p{Script=Greek}; and \s, which has the
-- spaces of Unicode there.

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

local SPACES = "\\s\\x{a0}\\x{feff}\\x{2028}\\x{2029}\\p{Zs}"

-- How an escape is written for PCRE2, and how long it is here.
local function escape_at(pattern, at, in_class)
  local hex = pattern:match("^u(%x%x%x%x)", at)
  if hex then
    return ("\\x{%s}"):format(hex), 5
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

--- The pattern for PCRE2.
---@param pattern string
---@return string
function M.translate(pattern)
  local out, at, in_class = {}, 1, false
  while true do
    local odd = pattern:find("[\\%[%]]", at)
    if not odd then
      return table.concat(out) .. pattern:sub(at)
    end
    local text, size = pattern:sub(odd, odd), 0
    if text == "\\" then
      text, size = escape_at(pattern, odd + 1, in_class)
    else
      in_class = text == "["
    end
    out[#out + 1] = pattern:sub(at, odd - 1) .. text
    at = odd + 1 + size
  end
end

return M

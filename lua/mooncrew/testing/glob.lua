-- Patterns in which only "*" is special: it stands for any text, none too.

local glob = {}

--- Whether the whole text is as the pattern says.
---@param text string
---@param pattern string
---@return boolean
function glob.matches(text, pattern)
  local lua_pattern = pattern:gsub("[%^%$%(%)%%%.%[%]%+%-%?]", "%%%0"):gsub("%*", ".*")
  return text:find("^" .. lua_pattern .. "$") ~= nil
end

--- What stands in a table under the pattern that fits best: the text itself, else the longest.
---@param answers table<string, any>
---@param text string
---@param matches (fun(text: string, pattern: string): boolean)|nil  glob.matches unless given
---@return any
function glob.find(answers, text, matches)
  matches = matches or glob.matches
  local best
  for pattern in pairs(answers) do
    if matches(text, pattern) and best ~= text and (not best or pattern == text or #pattern > #best) then
      best = pattern
    end
  end
  if best then
    return answers[best]
  end
end

return glob

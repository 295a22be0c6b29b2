-- What the file of a task type is called: "email:welcome" → "email_welcome".

local native = require "mooncrew.native"

local MAX_SIZE = 200 -- bytes; a file name may have 255, and "_spec.lua" is put behind it

-- Each: a pattern that no type for `mooncrew new` may match, and what is said of one that does.
local REFUSED = {
  { "^$", "is empty" },
  { "%c", "has a control character" },
  { "^[./]", "begins like a path" },
  { "/%.%.?/", "looks like a path" },
  { "%.lua$", "is the name of a file: give the type of the task, and the file is named after it" },
  { "%*.", 'has a "*" before its end, where it stands for nothing' },
}

local function wrong(type)
  if not native.utf8_valid(type) then
    return "is not valid UTF-8"
  end
  for _, refused in ipairs(REFUSED) do
    if type:find(refused[1]) then
      return refused[2]
    end
  end
end

-- Whether `require` finds something else by this name: a script beside others would hide it from them.
local function is_taken(name)
  if package.loaded[name] ~= nil or package.preload[name] then
    return true
  end
  local elsewhere = (package.path .. ";" .. package.cpath):gsub("%./[^;]*;?", "")
  return name == "mooncrew" or package.searchpath(name, elsewhere) ~= nil
end

--- The file's name for a task type, without folder and extension.
---@param type string
---@return string|nil name
---@return string? message
local function script_name(type)
  local reason = wrong(type)
  local name = type:gsub("[^%w_\128-\255-]+", "_"):gsub("^[_-]+", ""):gsub("_+$", "")
  if not reason and name == "" then
    reason = "has no letter or digit to name a file after"
  elseif not reason and #name > MAX_SIZE then
    reason = ("is too long to name a file after: %d bytes at most"):format(MAX_SIZE)
  end
  if reason then
    return nil, ("the task type %q %s; a good one is like email:welcome"):format(type:gsub("%c", "?"), reason)
  end
  return is_taken(name) and name .. "_task" or name
end

return script_name

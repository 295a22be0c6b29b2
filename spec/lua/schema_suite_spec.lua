-- The official test suite of JSON Schema (draft 2020-12), through schema.from_json_schema: each case of a file is
-- decoded, and must be accepted or refused as the file says. What is not supported must be refused when it is loaded,
-- by name.

local json = require "mooncrew.json"
local keywords = require "mooncrew.schema.keywords"
local lfs = require "lfs"
local schema = require "mooncrew.schema"

local folder = os.getenv("MOONCREW_JSON_SCHEMA_SUITE") or "../shared/json-schema-suite"

local function suite_files()
  local files = {}
  if lfs.attributes(folder, "mode") == "directory" then
    for name in lfs.dir(folder) do
      files[#files + 1] = name:match("^(.+)%.json$")
    end
  end
  table.sort(files)
  return files
end

local function groups_of(file)
  local handle = assert(io.open(("%s/%s.json"):format(folder, file)))
  local text = handle:read("*a")
  handle:close()
  text = text:gsub("([:,%[]%s*%-?" .. ("%d"):rep(16) .. "+)(%s*[,%]}])", "%1.0%2") -- a double, and not meant exactly
  local ok, groups = json.decode(text)
  assert(ok, groups)
  return groups
end

-- Whether a description has a keyword anywhere.
local function has_keyword(value, keyword)
  if type(value) ~= "table" then
    return false
  end
  for key, inner in pairs(value) do
    if key == keyword or has_keyword(inner, keyword) then
      return true
    end
  end
  return false
end

-- The keyword for which a schema was refused, if it is one that may be.
local function refused_keyword(description, message)
  local keyword = message:match("the keyword '([^']+)' is not supported")
  if keyword and keywords.unsupported[keyword] and has_keyword(description, keyword) then
    return keyword
  elseif message:find("/$ref: '[^']+' is another document") then
    return "$ref to another document"
  end
end

local function check_case(shape, case, name)
  local text = assert(json.encode(case.data))
  local ok, value = shape:decode(text)
  assert.are.equal(case.valid, ok == true, ("%s: %s"):format(name, ok and "accepted" or value))
  assert.are.equal(case.valid, #shape:decode_errors(text) == 0, name .. ": the list of errors disagrees")
  if ok then
    assert.are.equal(text, json.encode(value), name .. ": the value changed")
  end
end

describe("the official test suite", function()
  local files = suite_files()
  local passed, refused, names = 0, 0, {}

  if #files == 0 then
    pending("is not at " .. folder)
    return
  end

  for _, file in ipairs(files) do
    it("agrees about " .. file, function()
      for _, group in ipairs(groups_of(file)) do
        local loaded, shape = pcall(schema.from_json_schema, group.schema)
        if loaded then
          for _, case in ipairs(group.tests) do
            check_case(shape, case, ("%s, %s"):format(group.description, case.description))
            passed = passed + 1
          end
        else
          local keyword = refused_keyword(group.schema, shape)
          assert.is_truthy(keyword, ("%s: %s"):format(group.description, shape))
          refused, names[keyword] = refused + #group.tests, true
        end
      end
    end)
  end

  teardown(function()
    local list = {}
    for name in pairs(names) do
      list[#list + 1] = name
    end
    table.sort(list)
    print(("measured: %d cases pass, %d refused as unsupported: %s"):format(passed, refused, table.concat(list, ", ")))
  end)
end)

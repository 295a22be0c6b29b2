-- The places of a JSON Schema that "$ref" can name: by JSON pointer, by "$id", by "$anchor". Nothing is fetched.

local keywords = require "mooncrew.schema.keywords"
local uri = require "mooncrew.schema.uri"

local M = {}

---@class mooncrew.schema.References
---@field roots table<string, table>    by URI: the schemas that have an "$id", and the outermost one as ""
---@field anchors table<string, table>  by URI and fragment
---@field bases table<table, string>    by schema: the URI that its references start from
local References = {}
References.__index = References

local IS_SCHEMAS = { schemas = true, ["schemas by name"] = true }

local function register(self, schema, base)
  if type(schema) ~= "table" then
    return
  end
  if type(schema["$id"]) == "string" then
    base = uri.resolve(base, schema["$id"])
    self.roots[base] = self.roots[base] or schema
  end
  if type(schema["$anchor"]) == "string" then
    self.anchors[base .. "#" .. schema["$anchor"]] = schema
  end
  self.bases[schema] = base
  for keyword, value in next, schema do
    local kind = keywords.supported[keyword]
    if kind == "schema" then
      register(self, value, base)
    elseif IS_SCHEMAS[kind] and type(value) == "table" then
      for _, inner in next, value do
        register(self, inner, base)
      end
    end
  end
end

--- Reads where a schema's places are.
---@param schema table
---@return mooncrew.schema.References
function M.new(schema)
  local self = setmetatable({ roots = { [""] = schema }, anchors = {}, bases = {} }, References)
  register(self, schema, "")
  return self
end

local function follow(from, pointer)
  local at = from
  for token in pointer:gmatch("/([^/]*)") do
    if type(at) ~= "table" then
      return nil
    end
    local key = token:gsub("~1", "/"):gsub("~0", "~")
    local index = tonumber(key)
    at = at[1] ~= nil and index and at[index + 1] or at[key]
  end
  return at
end

--- The schema that a reference names, as seen from the schema in which it stands; nil and why there is none.
---@param schema table
---@param reference string
---@return table|boolean|nil
---@return string? message
function References:find(schema, reference)
  local place, fragment = uri.resolve(self.bases[schema], reference)
  local root = self.roots[place]
  if not root then
    return nil, ("'%s' is another document; only what stands in this one can be referred to"):format(reference)
  end
  fragment = uri.unescape(fragment or "")
  local found
  if fragment == "" then
    found = root
  elseif fragment:sub(1, 1) == "/" then
    found = follow(root, fragment)
  else
    found = self.anchors[place .. "#" .. fragment]
  end
  local is_schema = type(found) == "boolean" or type(found) == "table" and self.bases[found] ~= nil
  if not is_schema then
    return nil, ("'%s' leads to no schema"):format(reference)
  end
  return found
end

return M

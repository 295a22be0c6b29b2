-- The keywords of JSON Schema, draft 2020-12, and what schema.from_json_schema does with each. A keyword that stands in
-- none of these tables is refused too: what is ignored silently is a check that somebody believes in.

local M = {}

--- The type of a keyword's value, by which import.lua reads it.
M.supported = {
  ["$ref"] = "reference", ["$defs"] = "schemas by name", definitions = "schemas by name",
  ["$id"] = "text", ["$anchor"] = "text", ["$schema"] = "text",
  type = "types", enum = "values", const = "value", format = "format",
  minLength = "count", maxLength = "count", pattern = "pattern",
  minimum = "number", maximum = "number", exclusiveMinimum = "number", exclusiveMaximum = "number",
  multipleOf = "positive",
  items = "schema", prefixItems = "schemas", contains = "schema", minContains = "count", maxContains = "count",
  minItems = "count", maxItems = "count", uniqueItems = "boolean",
  properties = "schemas by name", patternProperties = "schemas by name", additionalProperties = "schema",
  unevaluatedItems = "schema", unevaluatedProperties = "schema",
  propertyNames = "schema", minProperties = "count", maxProperties = "count", required = "names",
  dependentRequired = "names by name", dependentSchemas = "schemas by name",
  allOf = "schemas", anyOf = "schemas", oneOf = "schemas", ["not"] = "schema",
  ["if"] = "schema", ["then"] = "schema", ["else"] = "schema",
}

--- Remarks, which check nothing by the standard. So are keywords that begin with "x-".
M.remarks = {
  title = true, description = true, default = true, examples = true, deprecated = true, readOnly = true,
  writeOnly = true, ["$comment"] = true,
}

--- Keywords of the standard that are refused, and why.
M.unsupported = {
  ["$dynamicRef"] = "use $ref",
  ["$dynamicAnchor"] = "use $anchor",
  ["$vocabulary"] = "it belongs into meta-schemas",
  contentEncoding = "the handler decodes the text",
  contentMediaType = "the handler reads the text",
  contentSchema = "the handler reads the text",
}

return M

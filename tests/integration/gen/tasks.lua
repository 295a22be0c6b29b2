-- Tasks with awkward names and shapes, for generated code: each handler keeps what it was given as its result, and
-- fails when those bytes are not the canonical JSON of the payload.
local crew = require "mooncrew"
local schema = crew.schema

local function echo(payload, task)
  local canonical = payload == nil and "" or crew.json.encode(payload)
  if canonical ~= task.raw_payload then
    task:skip_retry(("%s is not canonical: %s"):format(task.raw_payload, canonical))
  end
  return task.type .. " " .. task.raw_payload
end

local function define(type, payload, options)
  local definition = options or {}
  definition.payload, definition.retention = payload, definition.retention or "10m"
  definition.perform = definition.perform or echo
  return crew.task(type, definition)
end

define("email:welcome", schema.object {
  username = schema.string { min_length = 1, max_length = 8 }:describe "who\n*/ \"",
  locale = schema.enum({ "en", "fr" }):default "en",
}, { queue = "critical", max_retry = 10, timeout = "1500ms", retention = "2h", unique = "1h",
  description = "Greets.\nWith */ and /* and `ticks`." })

define("nasty", schema.object {
  type = schema.string(), func = schema.integer { min = -5, max = 5 }, int = schema.boolean(), class = schema.string(),
  ["the-dash"] = schema.string(), ["größe"] = schema.int64(), ["-"] = schema.string():optional(),
  ["a,b\"c\\"] = schema.string():optional(), [""] = schema.string():optional(),
  least = schema.int64(), most = schema.int64(),
  empty = schema.object {},
  rows = schema.array(schema.object { id = schema.integer(), tags = schema.array(schema.string()) }),
  matrix = schema.array(schema.array(schema.number())),
  opt = schema.integer():default(7), flag = schema.boolean():default(true),
  list = schema.array(schema.string(), { min_items = 1 }):default { "x" },
  odd = schema.array(schema.enum { "a b", "ü", "", "+", "-", "\"q\"\\", "a_b", "1" }),
  number = schema.enum({ 1, 2, -5 }):optional(), mixed = schema.enum({ 1, "x", true }):optional(),
  labels = schema.map(schema.string()), counts = schema.map(schema.array(schema.integer())):optional(),
  any = schema.any(), any_or_none = schema.any():optional(),
  nested = schema.object { deep = schema.object { x = schema.number() }:optional() },
  rows_count = schema.integer(), has_opt = schema.boolean():optional(),
  open = schema.object({ p = schema.string() }, { allow_unknown = true }):optional(),
})

define("numbers", schema.array(schema.number()))
define("texts", schema.array(schema.string()))
define("image:*", schema.object { url = schema.string() })
define("raw", "raw", { perform = function(payload, task) return task.type .. " " .. payload end })
define "free"
define("2fa:größe", schema.any())
define("maybe", schema.object { a = schema.string() }:optional())
define("or else", schema.string():default "dflt")
define("a:b", schema.object { item = schema.object { v = schema.string() }, w = schema.int64() })
define("a_b", schema.string())
define("mooncrew", schema.object { queues = schema.object { name = schema.string() } }:describe "bytes.Buffer, math.Pi")
define("size", schema.object { t = schema.enum { "strings.Cut", "sort.Sort" } })
define("int", schema.enum { "x", "y" })
define("json:add", schema.map(schema.int64()))

local tree
tree = schema.object {
  name = schema.string(), children = schema.array(schema.ref(function() return tree end)),
  left = schema.ref(function() return tree end):optional(),
}
define("tree", tree)

define("choices", schema.object {
  may_be_null = schema.string():nullable(), nulls = schema.array(schema.integer():nullable()),
  count = schema.integer({ exclusive_min = 0, exclusive_max = 10 }):nullable(),
  either = schema.one_of { schema.string(), schema.integer() },
  pair = schema.tuple { schema.string(), schema.integer() }, constant = schema.const "k",
  share = schema.number { exclusive_min = 0, max = 1 }, yes = schema.const(true),
  when = schema.string { format = "date-time" },
})

define("imported", schema.from_json_schema {
  ["$defs"] = { money = { type = "object", properties = { cents = { type = "integer", minimum = 0 } },
    required = { "cents" }, additionalProperties = false } },
  type = "object", required = { "price" }, properties = {
    price = { ["$ref"] = "#/$defs/money" }, discount = { ["$ref"] = "#/$defs/money" },
    note = { type = { "string", "null" }, default = "a remark" },
  },
})

-- What a producer refuses before anything is sent.
define("limits", schema.object {
  even = schema.integer { multiple_of = 2 }, wide = schema.int64({ multiple_of = 1000 }):optional(),
  names = schema.array(schema.string(), { unique_items = true }):optional(),
  flags = schema.array(schema.boolean(), { unique_items = true }):optional(),
  points = schema.array(schema.object { x = schema.integer(), y = schema.number() }, { unique_items = true })
    :optional(),
  lists = schema.array(schema.array(schema.integer(), { unique_items = true })):optional(),
})
define("bounds", schema.from_json_schema {
  ["$defs"] = { word = { type = "string", maxLength = 5 } },
  type = "object", properties = {
    n = { type = "integer" }, exact = { type = "integer", format = "int64" },
    word = { ["$ref"] = "#/$defs/word", minLength = 3 },
    both = { type = "integer", allOf = { { minimum = 3 }, { maximum = 5 } } },
  },
})

-- Nothing in it can be refused, so no place of it is ever told.
define("plain", schema.object { x = schema.integer(), yes = schema.boolean() })

-- A payload that holds itself, also in a map, and that the schema calls something else.
define("forest", schema.from_json_schema {
  ["$ref"] = "#/$defs/node",
  ["$defs"] = { node = { type = "object", required = { "v" }, properties = {
    v = { type = "integer" },
    kids = { type = "array", items = { ["$ref"] = "#/$defs/node" } },
    named = { type = "object", additionalProperties = { ["$ref"] = "#/$defs/node" } },
  } } },
})

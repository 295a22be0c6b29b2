-- Tasks whose names and shapes generated code must get past: what it is given is only compiled.
local crew = require "mooncrew"
local schema = crew.schema

local function define(type, payload, options)
  local definition = options or {}
  definition.payload, definition.perform = payload, print
  return crew.task(type, definition)
end

local function one_field(name)
  return schema.object { [name] = schema.string() }
end

-- ---- names that are the same once they are written as C or Go ----

define("user:signUp", schema.object {
  user_name = schema.string(), userName = schema.string(), UserName = schema.string(), ["user-name"] = schema.string(),
  ["user name"] = schema.string(),
})
for _, type in ipairs { "user:sign_up", "user:sign-up", "User:SignUp", ":::", "..", "9lives", "日本:語" } do
  define(type, one_field "x")
end

-- Types that are called as something is that is generated for another one.
define("a", schema.object {
  payload = schema.object { z = schema.integer() }, encode = schema.enum { "x" },
  enqueue = schema.array(schema.integer()), b = schema.object { c = schema.integer() },
})
define("a:b", schema.object { c = schema.object { d = schema.string() } })
for type in ("a:b:c a:payload distribute:a type type:a TaskDistributor x json json:writer int64_t size_t main init "
  .. "printf errno strlen func string bytes context asynq time client payload options"):gmatch "%S+" do
  define(type, one_field "a")
end
define("encode:a", schema.string())
define("raw:*", "raw")
define("raw:one", "raw")
define "free:*"
define "free:one"
define("with space and \"quotes\"", one_field "x", { description = "*/ // \\ ??/ %s\nnewline\r\ttab", queue = "low",
  timeout = 0, unique = "1500ms", retention = "1500ms", max_retry = 0 })

-- ---- fields that are words of the languages, or used by generated code itself ----

local words = {}
for word in ([[and break do else elseif end false for function goto if in local nil not or repeat return then true until
  while auto case char const continue default double enum extern float inline int long register restrict short signed
  sizeof static struct switch typedef union unsigned void volatile _Bool bool NULL go func map chan package import
  interface range select defer fallthrough var type string error len cap make new append panic recover iota w p i item
  here at v items count out write MarshalJSON UnmarshalJSON String valid self EOF errno assert I unix linux SIZE_MAX
  INT64_MIN offsetof size_t NAN INFINITY signals stdin]]):gmatch "%S+" do
  words[word] = schema.string():optional()
end
define("keywords", schema.object(words))
define("keywords:typed", schema.object {
  ["for"] = schema.integer(), func = schema.integer():optional(), i = schema.array(schema.integer()),
  w = schema.array(schema.array(schema.enum { "a", "b" })), v = schema.map(schema.map(schema.integer { min = 1 })),
  here = schema.object { at = schema.array(schema.string()) }, ["end"] = schema.enum { "for", "if", "" },
})
define("odd fields", schema.object {
  ["日本"] = schema.string(), ["日本 語"] = schema.integer(), ["🎉"] = schema.boolean(), [" "] = schema.string(),
  ["\t"] = schema.string():optional(), ["a\"b"] = schema.string(), ["a\\b"] = schema.string(),
  ["a/b"] = schema.string(), ["a~b"] = one_field "c%d", ["$ref"] = schema.string(), ["1st"] = schema.integer(),
  ["__index"] = schema.string(), _x = schema.string(), x_ = schema.string(), ["\127"] = schema.string(),
})
define("enums", schema.object {
  odd = schema.enum { "", " ", "a b", "A_B", "a-b", "日本", "%s%d", "??/", "*/", "//", "\\", "\"", "\n", "1", "-1",
    "true", "null", "'" },
  numbers = schema.enum { 0, 1, -1, 9007199254740991, -9007199254740991 }, with_null = schema.enum { "a", crew.null },
  mixed = schema.enum { 1, "1" }, floats = schema.enum { 1.5, 2 }, booleans = schema.enum { true, false },
  optional = schema.enum({ 3, 4 }):default(4), list = schema.array(schema.enum { "p", "q" }),
  map = schema.map(schema.enum { 1, 2 }),
})
define("enum alone", schema.enum({ "a", "b" }):optional())
define("consts", schema.object {
  s = schema.const "x y", n = schema.const(5), f = schema.const(1.5), b = schema.const(false),
  z = schema.const(crew.null), o = schema.const { a = 1 },
})

-- ---- shapes ----

local node
node = schema.object {
  name = schema.string(), kids = schema.array(schema.ref(function() return node end)):optional(),
  by = schema.map(schema.ref(function() return node end)):optional(),
  next = schema.ref(function() return node end):optional(),
}
define("tree", node)
local left, right
left = schema.object { right = schema.ref(function() return right end):optional() }
right = schema.object { left = schema.ref(function() return left end):nullable(), n = schema.integer() }
define("mutual", left)
local ring
ring = schema.array(schema.ref(function() return ring end))
define("ring", ring)

define("tuples", schema.object {
  p = schema.tuple { schema.integer(), schema.string() }, q = schema.array(schema.tuple { schema.integer() }),
})
define("one of", schema.one_of {
  schema.object { k = schema.const "a" }, schema.object { k = schema.const "b" },
})
define("any of", schema.object {
  x = schema.any_of { schema.string(), schema.null() }, y = schema.any_of { one_field "s", schema.null() },
})
define("all of", schema.all_of {
  schema.object({ a = schema.integer() }, { allow_unknown = true }),
  schema.object({ b = schema.integer() }, { allow_unknown = true }),
})
define("conditions", schema.object {
  n = schema.not_(schema.string()),
  w = schema.when(schema.string(), schema.string { min_length = 1 }, schema.integer()),
})
define("numbers", schema.object {
  a = schema.integer { min = 1, max = 9 }, b = schema.int64 { min = -9223372036854775807LL },
  c = schema.int64 { max = 9223372036854775807LL, exclusive_min = 0 },
  d = schema.number { exclusive_min = -0.1, exclusive_max = 1e300 }, e = schema.integer { multiple_of = 5 },
  f = schema.number { multiple_of = 0.01 }, g = schema.int64({ multiple_of = 1000 }):optional(),
  h = schema.integer({ exclusive_max = 10, multiple_of = 2 }):nullable(),
})
define("formats", schema.object {
  e = schema.string { format = "email" }, u = schema.string { format = "uuid" },
  d = schema.string({ format = "date-time" }):optional(),
  p = schema.string { pattern = "^x*/ // \\\\ \" %d %s $" }, q = schema.string({ pattern = "a\nb" }):nullable(),
})
define("nullable", schema.object {
  s = schema.string():nullable(), so = schema.string():nullable():optional(), i = schema.integer():nullable(),
  io = schema.integer():nullable():optional(), o = one_field("x"):nullable(), oo = one_field("x"):nullable():optional(),
  a = schema.array(schema.integer()):nullable(), m = schema.map(schema.string():nullable()),
  e = schema.enum({ "x" }):nullable(), an = schema.array(schema.string():nullable()),
  aon = schema.array(one_field("z"):nullable()), d = schema.integer():nullable():default(3), n = schema.null(),
  no = schema.null():optional(),
})
define("null", schema.null())
define("defaults", schema.object {
  o = schema.object({ x = schema.integer():default(1), y = schema.string() })
    :default { y = "%d ??= \\ \"q\" 日本" },
  a = schema.array(schema.integer()):default { 1, 2 }, m = schema.map(schema.number()):default { z = 0.1 },
  f = schema.number():default(-0.5), s = schema.string():default "tab\there\n", b = schema.boolean():default(false),
  big = schema.int64():default(9223372036854775807LL), e = schema.enum({ "", "x" }):default "",
})
define("maps", schema.object {
  a = schema.map(schema.string { max_length = 3 }, { min_properties = 1, max_properties = 2 }),
  b = schema.map(schema.object { x = schema.integer() }), c = schema.map(schema.array(schema.map(schema.boolean()))),
  d = schema.map(schema.any()), e = schema.map(schema.integer(), { property_names = schema.string { pattern = "^x" } }),
})
define("open", schema.object({ a = schema.integer() }, { additional_properties = schema.string() }))
define("patterns", schema.object({ a = schema.integer() }, { pattern_properties = { ["^x_"] = schema.integer() } }))
define("dependent", schema.object({ a = schema.integer():optional(), b = schema.integer():optional() },
  { dependent_required = { a = { "b" } } }))
local function set(item)
  return schema.array(item, { unique_items = true })
end

define("arrays", schema.object {
  u = schema.array(schema.string(), { unique_items = true, min_items = 1, max_items = 3 }),
  ui = set(schema.integer()), un = set(schema.number()), ub = set(schema.boolean()), ua = set(schema.any()),
  uo = set(one_field "x"), ue = set(schema.enum { "r" }), um = schema.map(set(schema.int64())),
  c = schema.array(schema.integer(), { contains = schema.const(5), max_contains = 2 }),
  aa = schema.array(schema.array(schema.array(schema.string(), { min_items = 1 }))),
  ao = schema.array(schema.object { n = schema.array(schema.object { q = schema.string():optional() }) }),
})
define("empty", schema.object {})
define("empties", schema.array(schema.object {}))
define("boolean", schema.boolean():optional())

-- ---- JSON Schema ----

define("js:defs", schema.from_json_schema {
  ["$defs"] = {
    ["a/b"] = { type = "object", properties = { x = { type = "integer" } } },
    a_b = { type = "object", properties = { y = { ["$ref"] = "#/$defs/a~1b" } } },
    Payload = { type = "object", properties = { z = { type = "string" } } }, str = { type = "string", minLength = 2 },
  },
  type = "object", required = { "r", "s", "t" }, properties = {
    p = { ["$ref"] = "#/$defs/a~1b" }, q = { ["$ref"] = "#/$defs/a_b" }, r = { ["$ref"] = "#/$defs/Payload" },
    s = { ["$ref"] = "#/$defs/str" }, n = { anyOf = { { ["$ref"] = "#/$defs/Payload" }, { type = "null" } } },
  },
})
define("js:anchor", schema.from_json_schema {
  ["$defs"] = { n = { ["$anchor"] = "node", type = "object", properties = { kid = { ["$ref"] = "#node" } } } },
  ["$ref"] = "#node",
})
define("js:beside", schema.from_json_schema {
  ["$defs"] = { s = { type = "string" } }, type = "object", additionalProperties = { type = "integer" }, properties = {
    x = { ["$ref"] = "#/$defs/s", minLength = 3, description = "said beside it" }, never = false, always = true,
    y = { enum = { "a", "b" }, type = "string", maxLength = 1 }, z = { const = 5, minimum = 4 }, empty = {},
    e = { anyOf = { { enum = { "p" } }, { enum = { "q" } } } }, number = { type = { "integer", "number" } },
    tuple = { type = "array", prefixItems = { { type = "string" } }, items = false }, untyped = { minimum = 3 },
    list = { type = "array" }, none = { type = "array", items = false }, map = { type = "object", minProperties = 1 },
    asked = { type = "string", ["if"] = { minLength = 2 }, ["then"] = { pattern = "x" } },
    both = { type = "integer", allOf = { { minimum = 3 }, { maximum = 5 } } },
    either = { type = "object", properties = { a = { type = "string" } },
      anyOf = { { required = { "a" } }, { minProperties = 2 } } },
    closed = { type = "object", properties = { a = true }, unevaluatedProperties = false },
    more = { type = "object", properties = { a = true }, dependentSchemas = { a = { required = { "b" } } } },
    large = { type = "integer", minimum = 1e20 }, exact = { type = "integer", format = "int64" },
    threes = { type = "number", multipleOf = 3 }, halves = { type = "integer", multipleOf = 0.5 },
  },
})

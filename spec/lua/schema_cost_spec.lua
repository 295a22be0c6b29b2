-- What validation costs, beside what decoding costs: validating a decoded payload of 20 fields, nested, must take less
-- time than decoding its JSON. Both are measured in this process, in turns, on the same texts; medians are compared.

local cjson = require "cjson"
local json = require "mooncrew.json"
local schema = require "mooncrew.schema"

local order = schema.object {
  id = schema.string { format = "uuid" },
  number = schema.integer { min = 1, max = 99999999 },
  placed_at = schema.string { format = "date-time" },
  status = schema.enum { "new", "paid", "sent", "done" },
  currency = schema.string { pattern = "^[A-Z]{3}$" },
  total = schema.number { min = 0 },
  express = schema.boolean(),
  note = schema.string { max_length = 500 }:optional(),
  customer = schema.object {
    name = schema.string { min_length = 1, max_length = 64 },
    email = schema.string { format = "email", max_length = 254 },
    age = schema.integer { min = 18, max = 150 },
    language = schema.enum({ "en", "fr", "de" }):default("en"),
    address = schema.object {
      street = schema.string { min_length = 1, max_length = 100 },
      city = schema.string { min_length = 1, max_length = 100 },
      postcode = schema.string { pattern = "^[0-9A-Z -]{3,10}$" },
      country = schema.string { min_length = 2, max_length = 2 },
    },
  },
  items = schema.array(schema.object {
    sku = schema.string { min_length = 1, max_length = 32 },
    quantity = schema.integer { min = 1, max = 1000 },
    price = schema.number { min = 0 },
  }, { min_items = 1, max_items = 100 }),
  tags = schema.array(schema.string { max_length = 20 }, { max_items = 10 }),
}

local TEXT = [[{"id":"2eb8aa08-aa98-11ea-b4aa-73b441d16380","number":31337,"placed_at":"2024-02-29T12:30:00.125Z",
  "status":"paid","currency":"EUR","total":149.9,"express":true,"note":"please ring twice, the bell is tired",
  "customer":{"name":"Zoë Example","email":"zoe@example.com","age":37,"language":"fr",
  "address":{"street":"12 rue de la Paix","city":"Paris","postcode":"75002","country":"FR"}},
  "items":[{"sku":"A-100","quantity":2,"price":49.95},{"sku":"B-7","quantity":1,"price":50}],"tags":["gift","web"]}]]

local ROUNDS, TIMES = 15, 2000

local function median(list)
  table.sort(list)
  return list[math.ceil(#list / 2)]
end

-- Microseconds that run(i) takes for each of TIMES calls.
local function measure(run)
  collectgarbage()
  local begin = os.clock()
  for i = 1, TIMES do
    run(i)
  end
  return (os.clock() - begin) / TIMES * 1e6
end

-- A validator completes its value in place, so each call gets a value of its own, decoded before the clock starts.
local function fresh_values()
  local values = {}
  for i = 1, TIMES do
    values[i] = select(2, json.decode(TEXT))
  end
  return values
end

local function costs(shape)
  local decode, bare, validate = {}, {}, {}
  for round = 1, ROUNDS do
    decode[round] = measure(function() json.decode(TEXT) end)
    bare[round] = measure(function() cjson.decode(TEXT) end)
    local values = fresh_values()
    validate[round] = measure(function(i) assert(shape:check_decoded(values[i], "payload")) end)
  end
  return median(decode), median(bare), median(validate)
end

describe("validating a payload of 20 fields", function()
  it("takes less than decoding it", function()
    local decode, bare, validate = costs(order)
    print(("measured: validating a decoded payload of 20 fields %.2f us, decoding it %.2f us (cjson alone %.2f us)")
      :format(validate, decode, bare))
    assert.is_true(validate < decode)
  end)

  it("takes less than decoding it by a JSON Schema too", function()
    local decode, _, validate = costs(schema.from_json_schema(order:json_schema()))
    print(("measured: the same by its JSON Schema %.2f us, decoding it %.2f us"):format(validate, decode))
    assert.is_true(validate < decode)
  end)
end)

describe("unevaluatedProperties", function()
  it("goes through the alternatives once, however many fields there are", function()
    local shape = schema.from_json_schema {
      anyOf = { { patternProperties = { ["^k"] = { type = "integer" } } }, { required = { "k1" } } },
      unevaluatedProperties = false,
    }
    local fields = {}
    for i = 1, 10000 do
      fields["k" .. i] = i
    end
    local begin = os.clock()
    assert(shape:validate(fields))
    assert.is_true(os.clock() - begin < 2)
  end)
end)

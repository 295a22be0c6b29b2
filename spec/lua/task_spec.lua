local crew = require "mooncrew"
local registry = require "mooncrew.registry"

local schema = crew.schema

describe("crew.task", function()
  before_each(registry.reset)
  after_each(registry.reset)

  local function define(fields)
    fields.perform = fields.perform or function() end
    return crew.task("some:task", fields)
  end

  local function refused(name, fields)
    local ok, message = pcall(function()
      crew.task(name, fields)
    end)
    assert.is_false(ok)
    assert.is_truthy(message:find("^spec/lua/task_spec.lua:%d+: "), message)
    return (message:gsub("^[^:]+:%d+: ", ""))
  end

  it("registers the definition, with the place where it stands", function()
    local definition = define { queue = "low", max_retry = 3, timeout = "30s", unique = 60, retention = "24h",
      description = "for the spec" }
    assert.are.equal(definition, registry.find("some:task"))
    assert.are.same({ queue = "low", max_retry = 3, timeout = "30s", unique = 60, retention = "24h" },
      definition.options)
    assert.is_truthy(definition.source:find("^spec/lua/task_spec.lua:%d+$"), definition.source)
    assert.are.equal("for the spec", definition.description)
  end)

  it("refuses a second registration", function()
    define {}
    local message = refused("some:task", { perform = print })
    assert.is_truthy(message:find("registered twice: at spec/lua/task_spec.lua:%d+ and at spec/lua/task_spec.lua:%d+"),
      message)
  end)

  it("names what is wrong with a definition", function()
    local function wrong(fields)
      if fields.perform == nil then
        fields.perform = print
      end
      return (refused("t", fields):gsub('^task "t": ', ""))
    end
    assert.are.equal("unknown field 'timeuot', did you mean 'timeout'?", wrong { timeuot = 3 })
    assert.are.equal("unknown field '1'", wrong { 3 })
    assert.are.equal("perform: expected function, got boolean", wrong { perform = false })
    assert.are.equal('payload: expected a schema (crew.schema.object { … }) or "raw"', wrong { payload = { a = "x" } })
    assert.are.equal("description: expected string, got number", wrong { description = 1 })
    assert.is_truthy(wrong({ timeout = "soon" }):find("timeout: 'soon' is no duration", 1, true))
    assert.is_truthy(wrong({ max_retry = -1 }):find("max_retry: must be a whole number", 1, true))
    assert.is_truthy(wrong({ queue = "" }):find("queue: must not be empty", 1, true))
    assert.is_truthy(wrong({ retry = "soon" }):find("retry: 'soon' is no duration", 1, true))
    assert.is_truthy(wrong({ retry = { 1, "soon" } }):find("retry[2]: 'soon' is no duration", 1, true))
    assert.are.equal("retry: the list of delays is empty", wrong { retry = {} })
    assert.are.equal('task "t": the definition must be a table, got nil', refused("t", nil))
  end)

  it("refuses names that cannot be task types", function()
    assert.are.equal("the task type must be a string that is not empty", refused("", {}))
    assert.are.equal("the task type must be a string that is not empty", refused(nil, {}))
    assert.are.equal("the task type must be valid UTF-8 without NUL", refused("a\255", {}))
    assert.are.equal("the task type must be valid UTF-8 without NUL", refused("a\0", {}))
    assert.is_truthy(refused("a*b", {}):find("can only end it", 1, true))
  end)

  describe("retry", function()
    it("is a delay, a list whose last one stays, or a function", function()
      assert.are.equal(90, define({ retry = "90s" }).retry(7, "why"))
      registry.reset()
      local retry = define({ retry = { 1, "1m", "1h" } }).retry
      assert.are.same({ 1, 60, 3600, 3600 }, { retry(0), retry(1), retry(2), retry(9) })
      registry.reset()
      local function own() end
      assert.are.equal(own, define({ retry = own }).retry)
    end)
  end)

  describe("payloads", function()
    it("with a schema are validated both ways", function()
      local definition = define { payload = schema.object { n = schema.integer(), s = schema.string():default("d") } }
      assert.are.equal('{"n":1,"s":"d"}', definition:encode { n = 1 })
      assert.are.same({ true, { n = 1, s = "x" } }, { definition:decode('{"n":1,"s":"x"}') })
      assert.are.same({ nil, "payload.n: expected integer, got string", "INVALID_PAYLOAD" },
        { definition:encode { n = "1" } })
      assert.are.same({ nil, "payload.n: expected integer, got string" }, { definition:decode('{"n":"1"}') })
      assert.is_nil((definition:decode("")))
    end)

    it("refuses what its worker would refuse, once the defaults are filled in", function()
      local definition = define { payload = schema.object({
        card = schema.string():default("visa"), address = schema.string():optional(),
      }, { dependent_required = { card = { "address" } } }) }
      assert.are.same({ nil, "payload.address: required, since card is there (once defaults are filled in)",
        "INVALID_PAYLOAD" }, { definition:encode {} })
      assert.are.equal('{"address":"a","card":"visa"}', definition:encode { address = "a" })
    end)

    it("without a schema are any JSON, or nothing", function()
      local definition = define {}
      assert.are.equal("", definition:encode(nil))
      assert.are.equal('"text"', definition:encode("text"))
      assert.are.equal("[]", definition:encode(crew.array {}))
      assert.are.same({ true, nil }, { definition:decode("") })
      assert.are.same({ true, "text" }, { definition:decode('"text"') })
      local ok, message = definition:decode("text")
      assert.is_nil(ok)
      assert.is_truthy(message:find("^payload: not valid JSON"), message)
    end)

    it("that are raw are bytes, untouched", function()
      local definition = define { payload = "raw" }
      assert.are.equal("\0\255{", definition:encode("\0\255{"))
      assert.are.equal("", definition:encode(nil))
      assert.are.same({ true, "\0\255{" }, { definition:decode("\0\255{") })
      assert.are.same({ nil, "payload: expected string (raw bytes), got table", "INVALID_PAYLOAD" },
        { definition:encode {} })
    end)
  end)

  it("tells all that is wrong with a payload, or its bytes", function()
    local shape = crew.schema.object { n = crew.schema.number():default(1), s = crew.schema.string() }
    local definition = crew.task("some:schema", { perform = print, payload = shape })
    assert.are.same({ true, { n = 1, s = "x" } }, { definition:validate { s = "x" } })
    assert.are.same({ nil, "payload.n: expected number, got string" }, { definition:validate { n = "1" } })
    local errors = { { path = "payload.n", message = "expected number, got string" },
      { path = "payload.s", message = "required" } }
    assert.are.same(errors, definition:errors { n = "1" })
    assert.are.same(errors, definition:decode_errors('{"n":"1"}'))
    assert.are.same({ { path = "payload", message = "required" } }, definition:decode_errors(""))
    assert.are.same({}, definition:decode_errors('{"s":""}'))
  end)

  it("finds nothing wrong where there is no schema", function()
    for _, payload in ipairs { "raw", "none" } do
      local definition = crew.task("some:" .. payload, { perform = print, payload = payload == "raw" and "raw" or nil })
      assert.are.same({ true, "x" }, { definition:validate("x") })
      assert.are.same({}, definition:errors("x"))
      assert.are.same({}, definition:decode_errors(""))
      assert.are.equal(payload == "raw" and 0 or 1, #definition:decode_errors("x"))
    end
  end)

  it("tells the shape of its payload as JSON Schema", function()
    local dialect = "https://json-schema.org/draft/2020-12/schema"
    local with_schema = crew.task("some:schema", { perform = print, description = "says it",
      payload = crew.schema.object { n = crew.schema.number() } })
    assert.are.same({
      ["$schema"] = dialect, title = "some:schema", description = "says it", type = "object", required = { "n" },
      properties = { n = { type = "number" } }, additionalProperties = false,
    }, with_schema:json_schema())
    assert.are.same({ ["$schema"] = dialect, title = "some:json" },
      crew.task("some:json", { perform = print }):json_schema())
    assert.is_nil(crew.task("some:raw", { perform = print, payload = "raw" }):json_schema())
  end)

  it("does not enqueue by a prefix", function()
    local definition = crew.task("image:*", { perform = print })
    local ok, message = pcall(function()
      definition:enqueue({})
    end)
    assert.is_false(ok)
    assert.is_truthy(message:find('task_spec.lua:%d+: "image:%*" stands for many types'), message)
  end)
end)

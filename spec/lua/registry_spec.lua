local registry = require "mooncrew.registry"

describe("the registry", function()
  before_each(registry.reset)
  after_each(registry.reset)

  local function add(name, source)
    local definition = { type = name, source = source or "here:1" }
    return definition, registry.add(definition)
  end

  it("finds an exact name", function()
    local definition = add "mail:send"
    assert.are.equal(definition, registry.find("mail:send"))
    assert.is_nil(registry.find("mail:sen"))
    assert.is_nil(registry.find("mail:send2"))
  end)

  it("finds the longest prefix, whatever the order of registration", function()
    local any, image, resize = add "*", add "image:*", add "image:resize:*"
    assert.are.equal(resize, registry.find("image:resize:small"))
    assert.are.equal(image, registry.find("image:resize"))
    assert.are.equal(any, registry.find("mail"))
    registry.reset()
    resize, image = add "image:resize:*", add "image:*"
    assert.are.equal(resize, registry.find("image:resize:small"))
    assert.are.equal(image, registry.find("image:crop"))
    assert.is_nil(registry.find("mail"))
  end)

  it("prefers an exact name to a prefix", function()
    add "image:*"
    local exact = add "image:resize"
    assert.are.equal(exact, registry.find("image:resize"))
  end)

  it("names both places when a name is taken", function()
    add("same", "scripts/one.lua:3")
    local _, ok, message = add("same", "scripts/two.lua:7")
    assert.is_nil(ok)
    assert.are.equal('task "same" is registered twice: at scripts/one.lua:3 and at scripts/two.lua:7', message)
    assert.are.equal(1, #registry.all())
  end)

  it("lists definitions in order and forgets all on reset", function()
    local one, two = add "one", add "two"
    assert.are.same({ one, two }, registry.all())
    registry.middleware[1] = print
    registry.reset()
    assert.are.same({}, registry.all())
    assert.are.same({}, registry.middleware)
    assert.is_nil(registry.find("one"))
  end)
end)

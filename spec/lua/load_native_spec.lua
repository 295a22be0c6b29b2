local load_native = require "mooncrew.load_native"

describe("the C half of a module", function()
  after_each(function()
    package.preload["mooncrew.native_of_spec"], package.loaded["mooncrew.native_of_spec"] = nil, nil
  end)

  it("is loaded once", function()
    local loads = 0
    package.preload["mooncrew.native_of_spec"] = function()
      loads = loads + 1
      return { mine = true }
    end
    assert.is_true(load_native("mooncrew.native_of_spec", "crew.mine").mine)
    assert.is_true(load_native("mooncrew.native_of_spec", "crew.mine").mine)
    assert.are.equal(1, loads)
  end)

  it("says what to do where it is not there", function()
    assert.are.same({ nil, "crew.mine works in a worker only: in a test put something else in place of "
      .. "crew.mine.backend", "UNAVAILABLE" }, { load_native("mooncrew.native_of_spec", "crew.mine") })
  end)

  it("says why it does not load", function()
    package.preload["mooncrew.native_of_spec"] = function()
      error("install the package libmine", 0)
    end
    assert.are.same({ nil, "crew.mine: install the package libmine", "UNAVAILABLE" },
      { load_native("mooncrew.native_of_spec", "crew.mine") })
  end)

  it("is asked for by crew.redis and crew.postgres, whose calls then fail in the ordinary way", function()
    local _, message, code = require("mooncrew.redis").open("redis://h"):get("k")
    assert.matches("^crew.redis works in a worker only", message)
    assert.are.equal("UNAVAILABLE", code)
    local db = require("mooncrew.postgres").open("postgres://h")
    message = select(2, db:query("SELECT 1"))
    assert.matches("^crew.postgres works in a worker only", message)
    assert.are.equal("UNAVAILABLE", (select(3, db:transaction(print))))
  end)
end)

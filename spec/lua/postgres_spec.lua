-- crew.postgres over a backend of the spec's own, which keeps the statements.

local postgres = require "mooncrew.postgres"

describe("crew.postgres", function()
  local saved, log, answers

  before_each(function()
    saved, log, answers = postgres.backend, {}, {}
    postgres.backend = {
      query = function(session, sql, params, wire)
        log[#log + 1] = sql
        local answer = answers[sql]
        if type(answer) == "function" then
          return answer(session, params, wire)
        elseif answer then
          return unpack(answer, 1, 4)
        end
        return { rows = {}, columns = {}, count = 0, command = sql:match("^%u+") or "" }
      end,
      acquire = function(database)
        log[#log + 1] = "acquire"
        if answers.acquire then
          return unpack(answers.acquire, 1, 3)
        end
        return { database = database }
      end,
      release = function()
        log[#log + 1] = "release"
      end,
    }
  end)
  after_each(function()
    postgres.backend = saved
  end)

  local db = postgres.open("postgres://h/d")

  it("hands a query on, its parameters as they are and as text", function()
    answers["SELECT $1"] = function(session, params, wire)
      assert.are.equal(db, session)
      assert.are.same({ n = 3, 42, nil, true }, params)
      assert.are.same({ n = 3, "42", nil, "t" }, wire)
      return nil, "no", "23505", { constraint = "c" }
    end
    assert.are.same({ nil, "no", "23505", { constraint = "c" } }, { db:query("SELECT $1", 42, nil, true) })
  end)

  it("commits, and returns what the function returned", function()
    assert.are.same({ "a", nil, "b" }, { db:transaction(function(tx)
      tx:query("UPDATE")
      return "a", nil, "b"
    end, { isolation = "Serializable", read_only = true }) })
    assert.are.same({ "acquire", "BEGIN ISOLATION LEVEL SERIALIZABLE READ ONLY", "UPDATE", "COMMIT", "release" }, log)
    assert.is_true(db:transaction(function() end))
  end)

  it("rolls back for an error, which goes on, and for nil and a message", function()
    local ok, why = pcall(db.transaction, db, function() error({ mine = 1 }) end)
    assert.are.same({ false, { mine = 1 } }, { ok, why })
    assert.are.same({ "acquire", "BEGIN", "ROLLBACK", "release" }, log)
    log = {}
    assert.are.same({ nil, "no", "CODE" }, { db:transaction(function() return nil, "no", "CODE" end) })
    assert.are.same({ "acquire", "BEGIN", "ROLLBACK", "release" }, log)
  end)

  it("says which statement had failed when COMMIT rolls back", function()
    answers.COMMIT = { { command = "ROLLBACK" } }
    answers.BAD = { nil, "division by zero", "22012" }
    answers.WORSE = { nil, "current transaction is aborted", "25P02" }
    local result, message, code = db:transaction(function(tx)
      tx:query("BAD")
      tx:query("WORSE")
      return true
    end)
    assert.is_nil(result)
    assert.matches("rolled back .* division by zero", message)
    assert.are.equal("22012", code)
  end)

  it("does not know whether a COMMIT without an answer was one", function()
    for _, code in ipairs { "UNKNOWN", "TIMED_OUT" } do
      answers.COMMIT = { nil, "gone", code }
      assert.are.equal("UNKNOWN", (select(3, db:transaction(function() end))))
    end
    answers.COMMIT = { nil, "could not serialize", "40001" }
    assert.are.equal("40001", (select(3, db:transaction(function() end))))
  end)

  it("makes savepoints of transactions within", function()
    db:transaction(function(tx)
      assert.are.equal(1, tx:transaction(function() return 1 end))
      pcall(tx.transaction, tx, function() error("no") end)
    end)
    assert.are.same({ "acquire", "BEGIN", "SAVEPOINT mooncrew_1", "RELEASE SAVEPOINT mooncrew_1",
      "SAVEPOINT mooncrew_2", "ROLLBACK TO SAVEPOINT mooncrew_2", "COMMIT", "release" }, log)
  end)

  it("gives the connection back when it cannot begin, and says so when there is none", function()
    answers.BEGIN = { nil, "gone", "UNAVAILABLE" }
    assert.are.same({ nil, "gone", "UNAVAILABLE" }, { db:transaction(error) })
    assert.are.same({ "acquire", "BEGIN", "release" }, log)
    answers.acquire = { nil, "all in use", "TIMED_OUT" }
    assert.are.same({ nil, "all in use", "TIMED_OUT" }, { db:transaction(error) })
  end)

  it("blames the caller for misuse", function()
    local function blamed(pattern, body)
      local ok, message = pcall(body)
      assert.is_false(ok)
      assert.matches("postgres_spec.lua:%d+: crew.postgres.*" .. pattern, message)
    end
    blamed("expected string, got nil", function() db:query() end)
    blamed("parameter $1", function() db:query("SELECT $1", print) end)
    blamed("expected function, got nil", function() db:transaction() end)
    blamed("isolation", function() db:transaction(print, { isolation = "total" }) end)
    blamed("unknown option", function() db:transaction(print, { readonly = true }) end)
    for _, url in ipairs { "", "foo", "foo://u:p@h/d?a=b" } do
      blamed("open: url: write postgres://", function() postgres.open(url) end)
    end
    blamed("did you mean 'pool'", function() postgres.open("postgres://h", { pol = 3 }) end)
    blamed("pool: a whole number", function() postgres.open("postgres://h", { pool = 1.5 }) end)
    blamed("timeout", function() postgres.open("postgres://h", { timeout = "soon" }) end)
    local kept
    db:transaction(function(tx) kept = tx end)
    blamed("has ended", function() kept:query("SELECT 1") end)
  end)
end)

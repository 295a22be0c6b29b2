-- Which statements end their connection.

local session_state = require "mooncrew.postgres.session_state"

describe("a statement", function()
  local CHANGING = {
    { "SET search_path TO x", "SET" }, { "listen news", "LISTEN" }, { "PREPARE p AS SELECT 1", "PREPARE" },
    { "DO $$ BEGIN END $$", "DO" }, { "SELECT pg_advisory_lock(1)", "SELECT 1" }, { "SELECT PG_TRY_ADVISORY_LOCK(1)" },
    { "SELECT set_config('a.b', 'c', false)", "SELECT 1" }, { "CREATE TEMP TABLE t (n int)", "CREATE TABLE" },
    { "SELECT 1 AS n INTO TEMPORARY t", "SELECT 1" }, { "create or replace temp view v as select 1", "CREATE VIEW" },
    { "SET SESSION a.b = 'c'", "SET" }, { "CALL p()" }, { "do $$ begin raise 'x'; end $$" },
    { "DECLARE c CURSOR WITH  HOLD FOR SELECT 1", "DECLARE CURSOR" },
  }
  local PLAIN = {
    { "SELECT 1", "SELECT 1" }, { "UPDATE t SET n = 1", "UPDATE 1" }, { "SELECT template FROM t", "SELECT 0" },
    { "SELECT 1 AS settled" }, { "COMMIT", "COMMIT" },
    { "SET LOCAL search_path TO x", "SET" }, { " set transaction read only", "SET" },
    { "SELECT temp FROM weather" }, { "SELECT do_it()" },
    { "SELECT pg_advisory_xact_lock(1)", "SELECT 1" },
  }

  it("that changes the session is found", function()
    for _, case in ipairs(CHANGING) do
      assert.is_true(session_state.may_change(case[1], case[2]), case[1])
    end
  end)

  it("that does not is left alone", function()
    for _, case in ipairs(PLAIN) do
      assert.is_false(session_state.may_change(case[1], case[2]), case[1])
    end
  end)
end)

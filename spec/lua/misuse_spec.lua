-- What a script gives wrongly is blamed on the script's line, not on one of ours.

local crew = require "mooncrew"

describe("misuse of crew", function()
  local MODULES = { "async", "exec", "http", "json", "log", "mail", "postgres", "redis" }
  local NO_CALLS = { backend = true, error = true } -- for tests, not for scripts

  local function functions()
    local list = {}
    for _, name in ipairs(MODULES) do
      for field, run in pairs(crew[name]) do
        if type(run) == "function" and not NO_CALLS[field] then
          list[name .. "." .. field] = run
        end
      end
    end
    for _, name in ipairs { "sleep", "gather", "task", "cron", "use", "on_error", "array" } do
      list[name] = crew[name]
    end
    return list
  end

  it("with nil names the caller's line", function()
    for name, run in pairs(functions()) do
      local ok, message = pcall(function()
        local result = run(nil)
        return result
      end)
      if not ok then
        assert.matches("misuse_spec.lua:%d+: ", tostring(message), nil, nil, name)
      end
    end
  end)
end)

-- What lasts for one test of busted: its stubs, and the run that assertions mean when they name none.

---@class mooncrew.testing.Session
---@field stubs table<string, any>  by the name of what is stubbed (mooncrew.testing.stubs)
---@field last mooncrew.testing.Run|mooncrew.testing.Fold|nil
local session = { stubs = {}, last = nil }

--- Forgets it all. busted calls this after each test; without busted the test does.
function session.reset()
  session.stubs, session.last = {}, nil
end

local function subscribe()
  local busted = package.loaded.busted
  if busted and busted.subscribe then
    busted.subscribe({ "test", "end" }, function()
      session.reset()
      return nil, true -- others are told too
    end)
  end
end

subscribe()

return session

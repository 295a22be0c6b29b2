-- What lasts for one test of busted: its stubs, and the run that assertions mean when they name none.

---@class mooncrew.testing.Session
---@field stubs table<string, any>  by the name of what is stubbed (mooncrew.testing.stubs)
---@field test { name: string, place: string }|nil  the one that runs
---@field last mooncrew.testing.Run|mooncrew.testing.Fold|nil
local session = { stubs = {}, last = nil }

--- Forgets it all. busted calls this after each test; without busted the test does.
function session.reset()
  session.stubs, session.last = {}, nil
end

local function begin_test(element, parent)
  local trace = element.trace or {}
  session.test = { name = (parent and parent.name and parent.name .. " " or "") .. tostring(element.name),
    place = ("%s:%s"):format(trace.short_src or "?", trace.currentline or "?") }
end

local function subscribe()
  local busted = package.loaded.busted
  if busted and busted.subscribe then
    busted.subscribe({ "test", "start" }, function(element, parent)
      begin_test(element, parent)
      return nil, true
    end)
    busted.subscribe({ "test", "end" }, function()
      session.reset()
      session.test = nil
      return nil, true -- others are told too
    end)
  end
end

subscribe()

return session

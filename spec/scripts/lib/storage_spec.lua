-- lib/storage.lua: what the environment says about where things are.

package.path = "./scripts/?.lua;" .. package.path

local storage = require "lib.storage"
local uv = require "luv"

describe("lib.storage", function()
  after_each(function()
    uv.os_unsetenv("APP_DATABASE_URL")
    uv.os_unsetenv("APP_DATA")
  end)

  local function picked()
    return storage.pick(function(db)
      return "database " .. db.url
    end, function(folder)
      return "folder " .. folder
    end)
  end

  it("takes the folder while no database is named", function()
    assert.are.equal("folder data", picked())
    uv.os_setenv("APP_DATA", "/srv/app")
    uv.os_setenv("APP_DATABASE_URL", "")
    assert.are.equal("folder /srv/app", picked())
  end)

  it("takes the database that is named", function()
    uv.os_setenv("APP_DATABASE_URL", "postgres:///app")
    assert.are.equal("database postgres:///app", picked())
  end)
end)

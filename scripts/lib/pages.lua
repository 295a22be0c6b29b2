-- Pages of a digest: what is to be told to each user, until it was told. They are rows of PostgreSQL where there is a
-- database (pages/postgres.lua), else files (pages/files.lua).

local files = require "lib.pages.files"
local postgres = require "lib.pages.postgres"
local storage = require "lib.storage"

local M = {}

---@class Page
---@field id string
---@field events { at: integer, text: string }[]

---@class Pages what both can do; a failure of the store is nil and a message
---@field add fun(self, id: string, username: string, events: table[]): true|nil, string|nil again with the same id: the
---  page is there once
---@field users fun(self): string[]|nil, string|nil those who have pages
---@field of fun(self, username: string): Page[]|nil, string|nil
---@field remove fun(self, username: string, pages: Page[]): true|nil, string|nil

---@return Pages
function M.open()
  return storage.pick(postgres.new, files.new)
end

return M

-- The guide: every code block in docs/ and README.md does what the page says (page.lua says how blocks are run).
local Page = require "page"
local uv = require "luv"
local with_crew = require("support").with_crew

describe("the guide's page", function()
  local root, names = uv.cwd(), { "README.md" }
  for name in function(scan) return uv.fs_scandir_next(scan) end, assert(uv.fs_scandir "docs") do
    if name:find "%.md$" and name ~= "README.md" then names[#names + 1] = "docs/" .. name end -- that is the index
  end
  table.sort(names)
  assert(#names > 1, "docs/ has no pages")
  for _, name in ipairs(names) do
    local path = root .. "/" .. name
    local missing = Page.missing(path)
    if missing then
      pending(("%s holds: %s"):format(name, missing))
    else
      it(name .. " holds", with_crew(function(crew)
        assert.is_true(Page.new(crew, path):run_all() > 0, "the page has no code")
      end))
    end
  end
end)

-- Texts with places to fill in: template.fill("Hello {name}", { name = "Ada" }).

local M = {}

local ENTITIES = { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;", ['"'] = "&quot;", ["'"] = "&#39;" }

---@param text string
---@return string
function M.escape_html(text)
  return (text:gsub("[&<>\"']", ENTITIES))
end

---@param template string
---@param values table<string, string>
---@return string
function M.fill(template, values)
  return (template:gsub("{(%l+)}", values))
end

-- The same for a template in HTML: what is filled in is text, whatever it looks like.
---@param template string
---@param values table<string, string>
---@return string
function M.fill_html(template, values)
  return (template:gsub("{(%l+)}", function(name)
    return values[name] and M.escape_html(values[name])
  end))
end

return M

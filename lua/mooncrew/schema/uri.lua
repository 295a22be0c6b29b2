-- URI references, resolved against a base (RFC 3986, section 5), as "$id" and "$ref" need them.

local M = {}

local function split(uri)
  local rest, fragment = uri:match("^([^#]*)#(.*)$")
  rest = rest or uri
  local without_query, query = rest:match("^([^?]*)(%?.*)$")
  without_query = without_query or rest
  local scheme, place = without_query:match("^(%a[%w+.-]*:)(.*)$")
  place = place or without_query
  local authority, path = place:match("^(//[^/]*)(.*)$")
  return { scheme = scheme, authority = authority, path = path or place, query = query, fragment = fragment }
end

local function remove_dots(path)
  local out = {}
  for slash, segment in path:gmatch("(/?)([^/]*)") do
    if segment == ".." then
      out[#out] = nil
    elseif segment ~= "." and (slash ~= "" or segment ~= "") then
      out[#out + 1] = slash .. segment
    end
  end
  return table.concat(out) .. (path:find("/%.%.?$") and "/" or "")
end

local function merge(base, path)
  if path:sub(1, 1) == "/" then
    return path
  elseif base.authority and base.path == "" then
    return "/" .. path
  end
  return (base.path:match("^(.*/)") or "") .. path
end

--- The reference as seen from the base, without its fragment; and the fragment.
---@param base string  absolute, or "" when there is none
---@param reference string
---@return string uri
---@return string|nil fragment
function M.resolve(base, reference)
  local from, to = split(base), split(reference)
  if to.scheme then
    from = to
  elseif to.authority then
    to.scheme = from.scheme
    from = to
  elseif to.path ~= "" then
    from.path, from.query = remove_dots(merge(from, to.path)), to.query
  else
    from.query = to.query or from.query
  end
  return (from.scheme or "") .. (from.authority or "") .. from.path .. (from.query or ""), to.fragment
end

--- Text with its escapes (%2F) decoded.
---@param text string
---@return string
function M.unescape(text)
  return (text:gsub("%%(%x%x)", function(hex)
    return string.char(tonumber(hex, 16))
  end))
end

return M

-- Content types of attachments.

local M = {}

local BY_EXTENSION = {
  csv = "text/csv", gif = "image/gif", gz = "application/gzip", htm = "text/html", html = "text/html",
  ics = "text/calendar", jpeg = "image/jpeg", jpg = "image/jpeg", json = "application/json", md = "text/markdown",
  mp3 = "audio/mpeg", mp4 = "video/mp4", pdf = "application/pdf", png = "image/png", svg = "image/svg+xml",
  txt = "text/plain", webp = "image/webp", xml = "application/xml", zip = "application/zip",
  docx = "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
  xlsx = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}

--- By the end of the file's name; application/octet-stream for what is not known.
---@param name string
---@return string
function M.of(name)
  local extension = name:match("%.(%w+)$")
  return extension and BY_EXTENSION[extension:lower()] or "application/octet-stream"
end

--- Whether a text is a content type, with or without parameters, on one line.
---@param text string
---@return boolean
function M.is(text)
  return text:find("^[%w!#$&^_.+-]+/[%w!#$&^_.+-]+[^%c\127-\255]*$") ~= nil and #text < 200
end

return M

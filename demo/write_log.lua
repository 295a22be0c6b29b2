-- Writes an access log in the combined format, the same at every run: luajit demo/write_log.lua FILE LINES.
--
-- Like a real one it holds what a report must get right: "-" for no body, queries, requests that make no sense, escaped
-- quotes, bytes that are not UTF-8, and every 97th line is not in the format at all.

local bit = require "bit"

local seed = 20260131
local function random(limit) -- 1 … limit; our own generator, so that the log is the same on every machine
  seed = bit.bxor(seed, bit.lshift(seed, 13))
  seed = bit.bxor(seed, bit.rshift(seed, 17))
  seed = bit.bxor(seed, bit.lshift(seed, 5))
  return seed % 2 ^ 31 % limit + 1
end

local function pick(list)
  return list[math.min(random(#list), random(#list))] -- the first ones more often, as visitors do
end

local PATHS = {
  "/", "/index.html", "/assets/app.js", "/assets/app.css", "/favicon.ico", "/login", "/api/v1/orders",
  "/images/logo.png", "/search", "/api/v1/users/42", "/about", "/docs/start", "/docs/reference/options", "/robots.txt",
}
local METHODS = { "GET", "GET", "GET", "POST", "HEAD" }
local STATUS = { 200, 200, 200, 200, 304, 301, 404, 200, 500, 403, 206, 502 }
local REFERERS = { "-", "https://example.org/", "https://search.example.com/?q=%22moon%20crew%22" }
local AGENTS = {
  "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
  "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15",
  [[odd \"quoted\" agent\\]], "curl/8.5.0", "-",
}
local MALFORMED = {
  "", "-", "\22\3\1\2\0\1\0\1\252\3\3", '192.0.2.7 - - [31/Jan/2026:10:00:00 +0000] "GET / HTTP/1.1" 200',
  '192.0.2.7 - - [31/Jan/2026:10:00:00 +0000] "GET / HTTP/1.1" 200 512',
  '192.0.2.7 - - [yesterday] "GET / HTTP/1.1" 200 512 "-" "-"',
  '192.0.2.7 - - [31/Jan/2026:10:00:00 +0000] "GET / HTTP/1.1" OK 512 "-" "-"',
  '192.0.2.7 - - [31/Jan/2026:10:00:00 +0000] "GET / HTTP/1.1 200 512 - -',
}

local function request()
  local kind = random(60)
  if kind == 1 then
    return "-", 400
  elseif kind == 2 then
    return [[GET /search?q=\"moon\" HTTP/1.1]], 200
  elseif kind == 3 then
    return "GET /caf\233 HTTP/1.1", 404
  end
  local query = random(4) == 1 and "?page=" .. random(20) or ""
  return ("%s %s%s HTTP/1.1"):format(pick(METHODS), pick(PATHS), query), pick(STATUS)
end

local function size(status)
  if status == 304 then
    return "-"
  end
  return random(random(4) == 1 and 200000 or 6000) - 1
end

local function line(number, lines)
  local second = math.floor((number - 1) * 86400 / lines)
  local text, status = request()
  return ('%s.%d - %s [31/Jan/2026:%02d:%02d:%02d +0000] "%s" %d %s "%s" "%s"'):format(
    "198.51.100", random(254), random(20) == 1 and "ada" or "-", math.floor(second / 3600),
    math.floor(second / 60) % 60, second % 60, text, status, size(status), pick(REFERERS), pick(AGENTS))
end

local path, lines = arg[1], tonumber(arg[2])
local file = assert(io.open(path, "wb"))
for number = 1, lines do
  file:write(number % 97 == 0 and MALFORMED[number / 97 % #MALFORMED + 1] or line(number, lines), "\n")
end
file:close()

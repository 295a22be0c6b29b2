-- A proxy before Redis that can cut a connection at the worst moment: when Redis has carried out a command and its
-- reply is on the way. It can also hold a request back until a test lets it go.
local uv = require "luv"

local Proxy = {}
Proxy.__index = Proxy

local function drop(pair)
  for _, pipe in ipairs(pair) do
    if not pipe:is_closing() then pipe:close() end
  end
end

-- The reply holds the text that was waited for: it is swallowed, and the connection with it.
local function cuts_here(self, bytes)
  if self.wanted and bytes:find(self.wanted, 1, true) then
    self.wanted, self.cuts = nil, self.cuts + 1
    return true
  end
end

-- The request holds the text that was waited for: the next reply on its connection is swallowed.
local function note_request(self, pair, bytes)
  if self.wanted_request and bytes:find(self.wanted_request, 1, true) then
    self.wanted_request, pair.cut_next = nil, true
  end
end

local function swallows(self, pair, bytes)
  if pair.cut_next then
    self.cuts = self.cuts + 1
    return true
  end
  return cuts_here(self, bytes)
end

-- The request holds the text that was waited for: it and what follows it wait.
local function holds(self, bytes)
  if self.held or self.wanted_to_hold and bytes:find(self.wanted_to_hold, 1, true) then
    self.held = self.held or {}
    return true
  end
end

local function pump(self, pair, from, to, is_reply)
  from:read_start(function(err, bytes)
    if err or not bytes or (is_reply and swallows(self, pair, bytes)) then return drop(pair) end
    if not is_reply then
      note_request(self, pair, bytes)
      if holds(self, bytes) then return table.insert(self.held, { to = to, bytes = bytes }) end
    end
    if not to:is_closing() then to:write(bytes) end
  end)
end

-- An end of either kind, and its call on an address: a path is a unix socket's, a number a port of this machine.
local function new_end(address)
  return type(address) == "number" and uv.new_tcp() or uv.new_pipe(false)
end

local function apply(method, stream, address, ...)
  if type(address) == "number" then return stream[method](stream, "127.0.0.1", address, ...) end
  return stream[method](stream, address, ...)
end

local function serve(self)
  local near, far = new_end(self.path), new_end(self.target)
  local pair = { near, far }
  self.pairs[#self.pairs + 1] = pair
  self.listener:accept(near)
  apply("connect", far, self.target, function(err)
    if err then return drop(pair) end
    pump(self, pair, near, far, false)
    pump(self, pair, far, near, true)
  end)
end

--- Listens on a unix socket, or on a port, and passes everything on to another.
---@param path string|integer  0: any free port, which `port` then is
---@param target string|integer
function Proxy.start(path, target)
  local self = setmetatable({ path = path, target = target, pairs = {}, cuts = 0 }, Proxy)
  self.listener = new_end(path)
  assert(apply("bind", self.listener, path))
  if path == 0 then self.port = self.listener:getsockname().port end
  assert(self.listener:listen(16, function(err)
    assert(not err, err)
    serve(self)
  end))
  return self
end

--- Cuts the connection in which Redis' next reply with this text comes, once; `cuts` then grows by one.
---@param text string
function Proxy:cut_at(text)
  self.wanted = text
end

--- Cuts the connection that next carries a request with this text, once, when Redis has carried it out.
---@param text string
function Proxy:cut_after(text)
  self.wanted_request = text
end

--- Holds the next request with this text, and what comes after it on any connection, until `let_go`.
---@param text string
function Proxy:hold_at(text)
  self.wanted_to_hold = text
end

--- Passes on what was held.
function Proxy:let_go()
  local held = self.held
  self.wanted_to_hold, self.held = nil, nil
  for _, piece in ipairs(held) do
    if not piece.to:is_closing() then piece.to:write(piece.bytes) end
  end
end

--- Cuts all connections now.
function Proxy:cut_all()
  for _, pair in ipairs(self.pairs) do
    drop(pair)
  end
  self.pairs = {}
end

function Proxy:url()
  return "redis+unix://" .. self.path
end

function Proxy:stop()
  self.listener:close()
  self:cut_all()
end

return Proxy

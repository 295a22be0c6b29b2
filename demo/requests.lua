-- What the receiver got for a path: luajit demo/requests.lua LOG PATH
-- A line for each request: status, Idempotency-Key, Webhook-Timestamp, Webhook-Signature, body.

local cjson = require "cjson"

for line in io.lines(arg[1]) do
  local request = cjson.decode(line)
  if request.path == arg[2] then
    local headers = request.headers
    print(table.concat({ request.status, headers["idempotency-key"], headers["webhook-timestamp"],
      headers["webhook-signature"], request.body }, "\t"))
  end
end

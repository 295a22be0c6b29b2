-- Does what the page behind a link does: luajit demo/verify.lua FOLDER MESSAGE prints whom the link in a message stands
-- for.

local accounts = require "lib.accounts.files"

local file = assert(io.open(arg[2], "rb"))
local secret = file:read("*a"):match("/verify/([%w_-]+)\n")
file:close()
print(assert(accounts.new(arg[1]):verify(assert(secret, "no link on a line of its own in " .. arg[2]), os.time())))

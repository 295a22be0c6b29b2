-- Fills the store that task:send_verify_email looks users up in: luajit demo/fill_accounts.lua FOLDER.

local accounts = require "lib.accounts.files"

local store = accounts.new(arg[1])
for username, name in pairs({
  ada = "Ada Lovelace",
  grace = "Grace Hopper",
  linus = 'Linus "the C" Example',
  margaret = "Margaret Hamilton",
  sofia = "Søfía Çelik & Söhne <Łódź>",
}) do
  assert(store:put_user(username, { name = name, email = username .. "@example.org" }))
end

-- A throw-away certificate authority, and a server's certificate of it, made by openssl.
local Process = require "process"

local M = {}

local function openssl(folder, line)
  local args = {}
  for word in line:gmatch "%S+" do
    args[#args + 1] = word
  end
  local code, text = Process.run("openssl", { args = args, cwd = folder, output = folder .. "/openssl.out" }, 60)
  assert(code == 0, text)
end

--- Makes ca.pem, server.pem and server.key in the folder, for 127.0.0.1 alone; returns their paths.
---@param folder string
---@return {ca: string, certificate: string, key: string}
function M.make(folder)
  local key = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes"
  openssl(folder, "req -x509 " .. key .. " -days 2 -subj /CN=throw-away -keyout ca.key -out ca.pem")
  openssl(folder, "req " .. key .. " -subj /CN=server -keyout server.key -out server.csr")
  local file = assert(io.open(folder .. "/san.cnf", "w"))
  file:write "subjectAltName=IP:127.0.0.1\n"
  file:close()
  openssl(folder, "x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile san.cnf "
    .. "-out server.pem")
  return { ca = folder .. "/ca.pem", certificate = folder .. "/server.pem", key = folder .. "/server.key" }
end

return M

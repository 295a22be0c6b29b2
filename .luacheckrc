std = "luajit"
max_line_length = 120
files["build/*/gen/protocol/server"] = { std = "lua51", read_globals = { "redis", "KEYS", "ARGV", "cjson", "struct" } }
files["spec"] = { std = "luajit+busted" }
files["tests/integration"] = { std = "luajit+busted" }
files["tools"] = { globals = { "arg" } }

-- Turns files into C source, so that one binary carries them.
--
--   luajit tools/embed.lua scripts OUT FILE…   server scripts: `const mc_script mc_server_script_<name>` each; beside
--                                              OUT they are put as Redis gets them
--   luajit tools/embed.lua modules OUT FILE…   Lua modules: the table `mc_lua_modules` (lualib/modules.h)
--
-- A server script whose header declares other keys than its code uses fails the build. Its lines `-- INCLUDE name`
-- stand for parts/name.lua, whose functions see the locals of the script that are named above that line.

local function read(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read("*a")
  file:close()
  return text
end

local function write(path, text)
  local file = assert(io.open(path, "wb"))
  assert(file:write(text))
  assert(file:close())
end

local function bytes_of(text)
  local out, line = {}, {}
  for i = 1, #text do
    line[#line + 1] = text:byte(i)
    if #line == 24 then
      out[#out + 1] = table.concat(line, ",")
      line = {}
    end
  end
  line[#line + 1] = 0
  out[#out + 1] = table.concat(line, ",")
  return table.concat(out, ",\n")
end

local function sha1(path)
  local pipe = assert(io.popen("sha1sum '" .. path .. "'"))
  local hash = pipe:read("*a"):match("^(%x+)")
  pipe:close()
  return assert(hash and #hash == 40 and hash, "sha1sum failed for " .. path)
end

-- Numbers n of KEYS[n]: declared in comment lines that begin `-- KEYS[n]`, used in code.
local function count_keys(path, text)
  local declared, used, last = {}, {}, 0
  for line in text:gmatch("[^\n]+") do
    local number = line:match("^%-%-%s*KEYS%[(%d+)%]")
    if number then
      declared[tonumber(number)] = true
    elseif not line:match("^%s*%-%-") then
      for n in line:gmatch("KEYS%[(%d+)%]") do
        used[tonumber(n)] = true
      end
    end
  end
  for n in pairs(declared) do
    last = math.max(last, n)
    assert(used[n], path .. ": declares KEYS[" .. n .. "] and does not use it")
  end
  for n in pairs(used) do
    assert(declared[n], path .. ": uses KEYS[" .. n .. "] and does not declare it")
  end
  for n = 1, last do
    assert(declared[n], path .. ": KEYS[" .. n .. "] is missing between the declared ones")
  end
  return last
end

local function with_parts(path)
  local folder = path:match("^(.*/)")
  return (read(path):gsub("[^\n]*\n", function(line)
    local name = line:match("^%-%- INCLUDE ([%w_]+)\n$")
    assert(name or not line:find("^%-%- INCLUDE"), path .. ": " .. line .. " names no part")
    return name and read(folder .. "parts/" .. name .. ".lua")
  end))
end

local function embed_scripts(out, target, paths)
  out:write('#include "base/script.h"\n')
  for _, path in ipairs(paths) do
    local name, text = path:match("([^/]+)%.lua$"), with_parts(path)
    local whole = target:match("^(.*/)") .. "server/" .. name .. ".lua"
    write(whole, text)
    out:write(("extern const mc_script mc_server_script_%s;\n"):format(name))
    out:write(("static const char %s_body[] = {\n%s};\n"):format(name, bytes_of(text)))
    out:write(('const mc_script mc_server_script_%s = {"%s", %s_body, %d, "%s", %d};\n'):format(
      name, name, name, #text, sha1(whole), count_keys(path, text)))
  end
end

-- lua/mooncrew/init.lua → mooncrew; lua/mooncrew/cli/run.lua → mooncrew.cli.run
local function module_name(path)
  return (path:gsub("^lua/", ""):gsub("%.lua$", ""):gsub("/init$", ""):gsub("/", "."))
end

local function embed_modules(out, paths)
  out:write('#include "lualib/modules.h"\n')
  for i, path in ipairs(paths) do
    out:write(("static const char body_%d[] = {\n%s};\n"):format(i, bytes_of(read(path))))
  end
  out:write("const mc_lua_module mc_lua_modules[] = {\n")
  for i, path in ipairs(paths) do
    out:write(('  {"%s", "@%s", body_%d, sizeof body_%d - 1},\n'):format(module_name(path), path, i, i))
  end
  out:write(("};\nconst size_t mc_lua_module_count = %d;\n"):format(#paths))
end

local mode, target = arg[1], arg[2]
local paths = { unpack(arg, 3) }
table.sort(paths)
local out = assert(io.open(target .. ".new", "wb"))
if mode == "scripts" then
  embed_scripts(out, target, paths)
else
  embed_modules(out, paths)
end
out:close()
assert(os.rename(target .. ".new", target))

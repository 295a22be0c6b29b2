-- mooncrew gen: generated C, compiled without a warning and run against a worker, and the files themselves.
local Process = require "process"
local cjson = require "cjson"
local read_file = require "read_file"
local uv = require "luv"
local wait = require "wait"
local with_crew = require("support").with_crew

local TASKS = uv.cwd() .. "/tests/integration/gen"
local NAMES = uv.cwd() .. "/tests/integration/gen_names"
local BUILD = assert(os.getenv "MOONCREW_BUILD")
local SAN = os.getenv "SAN"

local function pkg_config()
  local pipe = assert(io.popen "pkg-config --libs libuv hiredis libprotobuf-c libssl libcrypto")
  local flags = pipe:read "*a"
  pipe:close()
  return flags
end

local function split(text)
  local words = {}
  for word in text:gmatch "%S+" do words[#words + 1] = word end
  return words
end

local function run(crew, program, words)
  local code, text = Process.run(program, { args = words, cwd = crew.folder, output = crew:file("tool.out", "") },
    60 * wait.patience)
  assert.equal(0, code, ("%s says:\n%s"):format(program, text))
  return text
end

local function generate(crew, target, ...)
  return crew:command { "gen", target, "--scripts", TASKS, "--out", crew.folder .. "/out", ... }
end

-- With names that are words of the languages, or the same once they are written as names of theirs.
local function generate_names(crew, target)
  assert.equal(0, (crew:command { "gen", target, "--scripts", NAMES, "--out", crew.folder .. "/out" }))
end

local STRICT = "-std=c11 -O2 -g -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes -Werror "
  .. "-pedantic -I%s/runtime/client -Iout "

local function compile(crew)
  assert.equal(0, (generate(crew, "c")))
  local flags = STRICT:format(uv.cwd()) .. (SAN and SAN ~= "" and "-fsanitize=" .. SAN or "")
  local c11 = flags .. " -o program out/tasks.c %s/program.c %s/libmooncrew.a %s -lpthread -lm"
  run(crew, "/usr/bin/gcc", split(c11:format(TASKS, BUILD, pkg_config())))
end

-- What the program printed: by its name for a task, the code, the queue and the id, or what the error says.
local function enqueue(crew)
  local text = run(crew, crew.folder .. "/program", { crew.server:url() })
  local told = {}
  for name, code, queue, rest in text:gmatch "(%S+) (%S+) (%S+) ([^\n]*)\n" do
    told[name] = { code = code, queue = queue, rest = rest }
  end
  return told
end

local REFUSED = {
  required = "payload.username: required", short = "payload.username: must have at least 1 characters",
  long = "payload.username: must have at most 8 characters",
  bytes = "payload.username: the string is not valid UTF-8",
  enum = "payload.locale: is none of the values of its enum", null = "payload: required",
  range = "payload.rows[1].id: must be at most 9007199254740991", twice = "payload.labels: a key stands there twice",
  few = "payload.list: must have at least 1 items",
  ring = "", above = "payload.share: must be more than 0",
  odd = "payload.even: must be a multiple of 2", wide = "payload.wide: must be a multiple of 1000",
  names = "payload.names: items 0 and 2 are equal, and must differ",
  flags = "payload.flags: items 1 and 2 are equal, and must differ",
  points = "payload.points: items 0 and 2 are equal, and must differ",
  lists = "payload.lists[1]: items 0 and 2 are equal, and must differ",
  both = "payload.both: must be at most 5", word = "payload.word: must have at least 3 characters",
  inexact = "payload.n: must be at most 9007199254740991",
  nan = "payload.matrix[1][1]: JSON has no number for infinity or not-a-number",
}

local NASTY = '{"any":{"a":[1,null]},%s"class":"c",%s"empty":{},"flag":%s,"func":5,"größe":9007199254740993,%s'
  .. '"int":true,"labels":{"a":"2","z":"1","é":"3"},"least":-9223372036854775808,"list":%s,"matrix":[[0.5,-1],[]],%s'
  .. '"most":9223372036854775807,"nested":%s,%s"odd":["a b","ü","\\"q\\"\\\\"],%s"opt":%s,'
  .. '"rows":[{"id":-9007199254740991,"tags":["<&>","\\u0001\\t\127\\"\\\\/"]},{"id":9007199254740991,"tags":[]}],'
  .. '"rows_count":3,"the-dash":"d","type":"t"}'

local ARRIVED = {
  default = 'email:welcome {"locale":"en","username":"ada"}',
  options = 'email:welcome {"locale":"fr","username":"bob"}',
  exact = 'email:welcome {"locale":"en","username":"äääääää."}',
  nasty = "nasty " .. NASTY:format("", "", "true", "", '["x"]', "", "{}", "", "", "7"),
  full = "nasty " .. NASTY:format('"any_or_none":[null],', '"counts":{"a":[],"b":[1,2]},', "false", '"has_opt":true,',
    '["one"]', '"mixed":"x",', '{"deep":{"x":0.1}}', '"number":-5,', '"open":{"p":"p"},', "0"),
  texts = 'texts ["","\\b\\f\\n\\r\\t\\u001f","\226\128\168","😀"]',
  image = 'image:resize {"url":"u"}', raw = "raw \255{", free = 'free {"a":1}', nothing = "free ", any = "2fa:größe []",
  maybe = "maybe ", or_else = 'or else "dflt"', first = 'a:b {"item":{"v":"i"},"w":7}', second = 'a_b "s"',
  tree = 'tree {"children":[{"children":[],"name":"leaf"}],"left":{"children":[],"name":"leaf"},"name":"root"}',
  choices = 'choices {"constant":"k","count":null,"either":5,"may_be_null":null,"nulls":[1,null],"pair":["a",1],'
    .. '"share":0.5,"when":"2026-01-31T12:00:00Z","yes":true}', imported = 'imported {"price":{"cents":5}}',
  limits = 'limits {"even":-4,"flags":[true,false],"lists":[[7,8]],"names":["b","a"],'
    .. '"points":[{"x":1,"y":0.5},{"x":1,"y":0.25}],"wide":-9007199254741000}',
  bounds = 'bounds {"both":5,"exact":9223372036854775807,"n":9007199254740991,"word":"abc"}',
  choice = 'int "y"', map = 'json:add {"":-9223372036854775808,"x":1}',
}

describe("generated C", function()
  it("compiles without a warning, and a worker is given the canonical JSON of each payload", with_crew(function(crew)
    compile(crew)
    local told = enqueue(crew)
    crew:node({ scripts = TASKS, queues = "critical=1,default=1,low=1" }):start()
    local count = 0
    for name, task in pairs(told) do
      if REFUSED[name] then
        assert.same({ "INVALID_ARGUMENT", REFUSED[name] }, { task.code, task.rest })
      elseif name ~= "again" then
        assert.equal("OK", task.code, name .. ": " .. task.rest)
        count = count + 1
        local key = ("asynq:{%s}:t:%s"):format(task.queue, task.rest)
        wait.wait_until(name .. " is done", 30, function()
          local state = crew.redis:call("HGET", key, "state")
          return state == "completed", crew.redis:call("HGET", key, "msg")
        end)
        local result = crew.redis:call("HGET", key, "result")
        if ARRIVED[name] then assert.equal(ARRIVED[name], result) end
      end
    end
    assert.equal(23, count)
  end))

  it("applies the options that the script declares, under those that are given", with_crew(function(crew)
    compile(crew)
    local told = enqueue(crew)
    local function options(name)
      local task = assert(crew:queue(told[name].queue):task(told[name].rest)).message
      return { told[name].queue, task.retry, task.timeout, task.retention }
    end
    assert.same({ "critical", 10, 2, 7200 }, options "default")
    assert.same({ "low", 2, 2, 7200 }, options "options")
    assert.same({ "default", 25, 1800, 600 }, options "nasty")
    assert.equal("DUPLICATE_TASK", told.again.code) -- the default, written out, is the same payload
    local code, text = crew:command { "enqueue", "email:welcome", '{"username":"ada"}', "--scripts", TASKS }
    assert.equal(1, code)
    assert.is_truthy(text:find("DUPLICATE_TASK", 1, true), text)
  end))

  it("works as the guide says", with_crew(function(crew)
    local folder, flags = uv.cwd(), "-std=c11 -Wall -Wextra -Werror -I%s/runtime/client -Iinclude %s -o main main.c "
      .. "include/tasks.c %s/libmooncrew.a %s -lpthread"
    assert.equal(0, (crew:command { "gen", "c", "--scripts", folder .. "/scripts", "--out", "include" }))
    crew:file("main.c", assert(read_file(folder .. "/docs/producers.md"):match "\n```c\n(.-)```"))
    local sanitizers = SAN and SAN ~= "" and "-fsanitize=" .. SAN or ""
    run(crew, "/usr/bin/gcc", split(flags:format(folder, sanitizers, BUILD, pkg_config())))
    local code, text = Process.run(crew.folder .. "/main", { args = {}, cwd = crew.folder,
      env = { MOONCREW_REDIS = crew.server:url() }, output = crew:file("main.out", "") }, 20 * wait.patience)
    assert.equal(0, code, text)
    assert.equal("scheduled", crew:queue("critical"):task(text:match "%S+").state)
  end))

  it("compiles whatever the names are, and says in words what it does not check", with_crew(function(crew)
    generate_names(crew, "c")
    for _, compiler in ipairs { "gcc -std=c11 -Wconversion", "clang -std=c11 -Wconversion", "g++ -x c++" } do
      local words = split(("/usr/bin/%s -Wall -Wextra -Wshadow -Werror -pedantic -I%s/runtime/client -c out/tasks.c "
        .. "-o x.o"):format(compiler, uv.cwd()))
      local program = table.remove(words, 1)
      if uv.fs_stat(program) then run(crew, program, words) end
    end
    local header = read_file(crew.folder .. "/out/tasks.h")
    for _, said in ipairs {
      "const char *u; /* format: uuid */", "double f; /* checked where the task runs: multipleOf */",
      "int64_t *c; /* checked where the task runs: contains, maxContains */",
      "e; /* checked where the task runs: propertyNames */",
      "const char *x; /* said beside it; at least 3 characters; NULL: none */",
      "never; /* JSON text: nothing fits; NULL: none */",
    } do
      assert.is_truthy(header:find(said, 1, true), said)
    end
  end))

  it("is C++ too, and warns of nothing in clang", with_crew(function(crew)
    assert.equal(0, (generate(crew, "c")))
    local include = ("-I%s/runtime/client"):format(uv.cwd())
    run(crew, "/usr/bin/g++", split("-Wall -Wextra -Werror -pedantic " .. include .. " -x c++ -c out/tasks.c -o x.o"))
    if not uv.fs_stat "/usr/bin/clang" then
      pending "clang is not here: install it to see generated C compiled by it"
      return
    end
    run(crew, "/usr/bin/clang", split(STRICT:format(uv.cwd()) .. "-c out/tasks.c -o x.o"))
  end))
end)

describe("mooncrew gen", function()
  local FILES = { c = { "tasks.h", "tasks.c" }, go = { "tasks.go" }, ["lua-types"] = { "tasks.lua" },
    jsonschema = { "email_welcome.schema.json", "nasty.schema.json", "image_any.schema.json" } }

  it("writes the same bytes again, and --check tells what is not so", with_crew(function(crew)
    for target, names in pairs(FILES) do
      local code, text = generate(crew, target, "--check")
      assert.equal(1, code)
      assert.is_truthy(text:find(names[1] .. " is missing: run `mooncrew gen " .. target .. " --out ", 1, true), text)
      assert.equal(0, (generate(crew, target)))
      local before = {}
      for _, name in ipairs(names) do before[name] = read_file(crew.folder .. "/out/" .. name) end
      code, text = generate(crew, target, "--check")
      assert.same({ 0, "" }, { code, text })
      code, text = generate(crew, target)
      assert.equal(0, code)
      assert.is_nil(text:find "wrote")
      for _, name in ipairs(names) do
        assert.equal(before[name], read_file(crew.folder .. "/out/" .. name))
        assert.is_truthy(before[name]:find("generated by mooncrew gen, do not edit", 1, true))
      end
      crew:file("out/" .. names[1], before[names[1]] .. "\n")
      code, text = generate(crew, target, "--check")
      assert.equal(1, code)
      assert.is_truthy(text:find(names[1] .. " is not what the scripts say", 1, true), text)
    end
  end))

  it("prints to standard output for -", with_crew(function(crew)
    local code, text = crew:command { "gen", "go", "--scripts", TASKS, "--out", "-", "--package", "jobs" }
    assert.equal(0, code)
    assert.is_truthy(text:find("\npackage jobs\n", 1, true))
    code, text = crew:command { "gen", "c", "--scripts", TASKS, "--out", "-", "--name", "jobs", "--prefix", "my_" }
    assert.equal(0, code)
    assert.is_truthy(text:find("^==> jobs.h <==\n"), text)
    assert.is_truthy(text:find("int my_email_welcome_enqueue(mooncrew_client *client", 1, true))
  end))

  it("writes schemas that are JSON, by the name of their type", with_crew(function(crew)
    assert.equal(0, (generate(crew, "jsonschema")))
    local schema = cjson.decode(read_file(crew.folder .. "/out/email_welcome.schema.json"))
    assert.equal("email:welcome", schema.title)
    assert.equal("https://json-schema.org/draft/2020-12/schema", schema["$schema"])
    assert.equal(8, schema.properties.username.maxLength)
    assert.equal("image:*", cjson.decode(read_file(crew.folder .. "/out/image_any.schema.json")).title)
    assert.is_nil(uv.fs_stat(crew.folder .. "/out/raw.schema.json"))
  end))

  it("removes the schemas of tasks that are no more, and nothing that it did not write", with_crew(function(crew)
    local folder = crew.folder .. "/out"
    local task = 'local crew = require "mooncrew"\ncrew.task("%s", { perform = print })\n'
    local function gen(...)
      return crew:command { "gen", "jsonschema", "--out", folder, ... }
    end
    crew:script("one.lua", task:format "one")
    crew:script("two.lua", task:format "two")
    assert.equal(0, (gen()))
    local kept = { ["mine.schema.json"] = '{"$comment":"mine"}', ["broken.schema.json"] = "{",
      ["two.json"] = read_file(folder .. "/two.schema.json") }
    for name, text in pairs(kept) do crew:file("out/" .. name, text) end
    assert(uv.fs_mkdir(folder .. "/folder.schema.json", 493))
    assert.equal(0, (gen "--check"))

    assert(os.remove(crew.folder .. "/scripts/two.lua"))
    local code, text = gen "--check"
    assert.equal(1, code)
    assert.is_truthy(text:find("/two.schema.json is of no task any more: run `mooncrew gen jsonschema ", 1, true), text)
    code, text = gen()
    assert.equal(0, code)
    assert.is_truthy(text:find("removed " .. folder .. "/two.schema.json", 1, true), text)
    assert.is_nil(uv.fs_stat(folder .. "/two.schema.json"))
    for name, content in pairs(kept) do assert.equal(content, read_file(folder .. "/" .. name)) end
    assert.is_table(uv.fs_stat(folder .. "/one.schema.json"))
    assert.equal(0, (gen "--check"))
  end))

  it("writes Lua types that load", with_crew(function(crew)
    assert.equal(0, (generate(crew, "lua-types")))
    local text = read_file(crew.folder .. "/out/tasks.lua")
    assert.is_function(loadstring(text))
    assert.is_truthy(text:find('---@class EmailWelcomePayload\n---@field locale? "en"|"fr"', 1, true))
    assert.is_truthy(text:find('---@overload fun(type: "email:welcome"|EmailWelcomeDefinition, '
      .. 'payload: EmailWelcomePayload, options?: mooncrew.Options): ', 1, true))
    for _, name in ipairs { "crew.task", "crew.enqueue", "Context:enqueue" } do
      local _, count = text:gsub("\nfunction " .. name .. "%(", "")
      assert.equal(1, count, name .. " has one definition, whose overloads a language server reads")
    end
  end))

  it("writes Lua types that load whatever the names are", with_crew(function(crew)
    generate_names(crew, "lua-types")
    assert.is_function(loadstring(read_file(crew.folder .. "/out/tasks.lua")))
  end))

  it("says which script does not load, and which word is wrong", with_crew(function(crew)
    crew:script("bad.lua", "error 'no'")
    local code, text = crew:command { "gen", "c" }
    assert.equal(1, code)
    assert.is_truthy(text:find("bad.lua:2: no", 1, true), text)
    code, text = crew:command { "gen", "go", "--scripts", TASKS, "--package", "a-b" }
    assert.equal(2, code)
    assert.is_truthy(text:find("--package: 'a-b' is not a Go package name", 1, true), text)
    code = crew:command { "gen", "c", "--scripts", TASKS, "--out", "-", "--check" }
    assert.equal(2, code)
  end))
end)

-- image:thumbnail: which program is run, and what becomes of what it writes.

package.path = "./scripts/?.lua;./spec/scripts/?.lua;" .. package.path

local temp = require "temp_folder"
local testing = require "mooncrew.testing"
local uv = require "luv"

describe("image:thumbnail", function()
  local definition, folder

  before_each(function()
    folder = assert(uv.fs_realpath(temp.make()))
    uv.os_setenv("APP_DATA", folder)
    assert(uv.fs_mkdir(folder .. "/a", tonumber("700", 8)))
    temp.write(folder .. "/a/cat.png", "a cat")
    definition = testing.load("scripts/image_thumbnail.lua")
  end)

  after_each(function()
    uv.os_unsetenv("APP_DATA")
    uv.os_unsetenv("APP_THUMBNAILER")
    temp.remove(folder)
  end)

  -- A program that writes into its last argument.
  local function writes(text)
    return function(request)
      temp.write(request.argv[#request.argv], text)
      return { code = 0 }
    end
  end

  local function names()
    local ok, found = pcall(temp.names, folder .. "/thumbnails/a")
    return ok and found or {}
  end

  it("runs the program beside the place of the thumbnail, and moves what it made there", function()
    testing.stub_exec { convert = writes("a small cat") }
    local run = testing.perform(definition, { path = "a/cat.png", width = 64 })
    assert.done { path = "thumbnails/a/cat-64.png", bytes = 11 }
    assert.are.equal("a small cat", temp.read(folder .. "/thumbnails/a/cat-64.png"))
    assert.are.same({ "cat-64.png" }, names())
    local argv = run.commands[1].argv
    assert.are.same({ "convert", folder .. "/a/cat.png[0]", "-auto-orient", "-thumbnail", "64x64" },
      { unpack(argv, 1, 5) })
    assert.is_truthy(argv[6]:find("/thumbnails/a/.", 1, true))
    assert.is_truthy(argv[6]:find("%.png$"))
  end)

  it("makes 320 columns unless told otherwise", function()
    testing.stub_exec { convert = writes("x") }
    testing.perform(definition, { path = "a/cat.png" })
    assert.done { path = "thumbnails/a/cat-320.png" }
  end)

  it("runs the program that it is told to, whose arguments stay whole", function()
    uv.os_setenv("APP_THUMBNAILER", "shrink --to {width}px {source} {target}")
    testing.stub_exec { shrink = writes("x") }
    local run = testing.perform(definition, { path = "a/cat.png", width = 16 })
    assert.done()
    assert.are.same({ "shrink", "--to", "16px", folder .. "/a/cat.png" }, { unpack(run.commands[1].argv, 1, 4) })
  end)

  it("hands no secrets to the program, and no endless time", function()
    testing.stub_exec { convert = writes("x") }
    local command = testing.perform(definition, { path = "a/cat.png" }).commands[1]
    assert.are.same({ APP_DATABASE_URL = false, APP_WEBHOOK_SECRET = false, MOONCREW_SMTP_URL = false }, command.env)
    assert.are.equal(60, command.timeout)
    assert.are.equal(65536, command.output_limit)
  end)

  it("leaves the old thumbnail and nothing else when the program fails", function()
    testing.stub_exec { convert = writes("old") }
    testing.perform(definition, { path = "a/cat.png" })
    for _, answer in ipairs {
      { code = 1, stderr = "no decode delegate" }, { signal = 9, stderr = "no decode delegate" },
    } do
      testing.stub_exec { convert = function(request)
        temp.write(request.argv[#request.argv], "half")
        return answer
      end }
      assert.retried(testing.perform(definition, { path = "a/cat.png" }))
      assert.failed("no decode delegate")
    end
    assert.are.same({ "cat-320.png" }, names())
    assert.are.equal("old", temp.read(folder .. "/thumbnails/a/cat-320.png"))
  end)

  it("believes no program that wrote nothing", function()
    testing.stub_exec { convert = {} }
    assert.retried(testing.perform(definition, { path = "a/cat.png" }))
    assert.failed("wrote no picture")
    testing.stub_exec { convert = writes("") }
    assert.retried(testing.perform(definition, { path = "a/cat.png" }))
    assert.are.same({}, names())
  end)

  it("is tried again where the program is missing", function()
    testing.stub_exec(function()
      return nil, "there is no program 'convert' in PATH: install it, or give its path", "NOT_FOUND"
    end)
    assert.retried(testing.perform(definition, { path = "a/cat.png" }))
    assert.failed("there is no program 'convert'")
  end)

  it("gives up where there is no such picture", function()
    local run = testing.perform(definition, { path = "a/dog.png" })
    assert.are.equal("skip_retry", run.outcome)
    assert.are.same({}, run.commands)
  end)

  it("follows no link out of its folder", function()
    assert(uv.fs_symlink("/etc/hostname", folder .. "/a/link.png"))
    local run = testing.perform(definition, { path = "a/link.png" })
    assert.are.equal("skip_retry", run.outcome)
    assert.archived("leads out of the folder")
    assert.are.same({}, run.commands)
  end)

  it("is not called with a path that could mean anything else", function()
    for _, path in ipairs { "", "/etc/a.png", "../a.png", "a/../../b.png", "a/./b.png", "-a.png", "a/-b.png", "@a.png",
      "msl:a.png", "a.png[0]", "a b.png", "a//b.png", "a", ".a.png", "a.png/", "a.png\n", "a%d.png", "a\0.png" } do
      local run = testing.perform(definition, { path = path })
      assert.are.equal("invalid", run.outcome, path)
    end
    for _, width in ipairs { 15, 2049, 20.5, "20" } do
      assert.are.equal("invalid", testing.perform(definition, { path = "a/cat.png", width = width }).outcome)
    end
  end)
end)

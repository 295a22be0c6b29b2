-- Makes a small copy of a picture in PPM (P6, 8 bits): luajit demo/shrink_ppm.lua SOURCE TARGET WIDTH
--
-- Stands in for ImageMagick where that is not installed, as the words of APP_THUMBNAILER:
--
--   luajit demo/shrink_ppm.lua {source} {target} {width}
--
-- Each point of the copy is the mean of those that it stands for.

local source, target, width = arg[1], arg[2], tonumber(arg[3])

local function fail(message)
  io.stderr:write(source, ": ", message, "\n")
  os.exit(1)
end

local function read(path)
  local file, message = io.open(path, "rb")
  if not file then
    fail(message)
  end
  local text = file:read("*a")
  file:close()
  local columns, rows, at = text:match("^P6%s+(%d+)%s+(%d+)%s+255%s()")
  if not columns or #text < at - 1 + columns * rows * 3 then
    fail("this is no whole picture in PPM (P6, 255)")
  end
  return { text = text, at = at, columns = tonumber(columns), rows = tonumber(rows) }
end

-- The mean of one colour (0, 1, 2) over the points from x1, y1 to x2, y2.
local function mean(picture, colour, x1, y1, x2, y2)
  local sum = 0
  for y = y1, y2 do
    for x = x1, x2 do
      sum = sum + picture.text:byte(picture.at + (y * picture.columns + x) * 3 + colour)
    end
  end
  return math.floor(sum / ((x2 - x1 + 1) * (y2 - y1 + 1)) + 0.5)
end

-- The first and the last of the `from` source points that point `i` of `to` stands for.
local function span(i, to, from)
  local first = math.floor(i * from / to)
  return first, math.max(first, math.floor((i + 1) * from / to) - 1)
end

local function shrink(picture, columns, rows)
  local out = { ("P6\n%d %d\n255\n"):format(columns, rows) }
  for y = 0, rows - 1 do
    local y1, y2 = span(y, rows, picture.rows)
    for x = 0, columns - 1 do
      local x1, x2 = span(x, columns, picture.columns)
      out[#out + 1] = string.char(mean(picture, 0, x1, y1, x2, y2), mean(picture, 1, x1, y1, x2, y2),
        mean(picture, 2, x1, y1, x2, y2))
    end
  end
  return table.concat(out)
end

local picture = read(source)
local columns = math.min(width, picture.columns)
local rows = math.max(1, math.floor(picture.rows * columns / picture.columns + 0.5))
local file = assert(io.open(target, "wb"))
assert(file:write(shrink(picture, columns, rows)))
assert(file:close())

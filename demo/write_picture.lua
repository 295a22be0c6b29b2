-- Writes a picture in PPM, a moon over a dark sky: luajit demo/write_picture.lua FILE COLUMNS ROWS

local path, columns, rows = arg[1], tonumber(arg[2]), tonumber(arg[3])

local function colour(x, y)
  local from_moon = math.sqrt((x - columns * 0.7) ^ 2 + (y - rows * 0.35) ^ 2) / rows
  if from_moon < 0.2 then
    return 250, 245, 210
  end
  local glow = math.max(0, 1 - from_moon) * 80
  return glow * 0.6, glow * 0.7, 40 + glow
end

local out = { ("P6\n%d %d\n255\n"):format(columns, rows) }
for y = 0, rows - 1 do
  for x = 0, columns - 1 do
    out[#out + 1] = string.char(colour(x, y))
  end
end
local file = assert(io.open(path, "wb"))
assert(file:write(table.concat(out)))
assert(file:close())

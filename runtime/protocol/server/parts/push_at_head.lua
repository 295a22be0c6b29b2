-- Of tasks that go back the first one given ends rightmost, and is the next one that is dequeued.
local function push_at_head(tasks)
  local reversed = {}
  for i = #tasks, 1, -1 do
    reversed[#reversed + 1] = tasks[i]
  end
  call("RPUSH", PENDING, unpack(reversed))
end

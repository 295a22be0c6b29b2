-- The demo's configuration; `mooncrew dev` brings its own Redis.

return {
  pools = {
    io = { workers = 2, concurrency = 500, queues = { critical = 6, default = 3, low = 1 } },
    cpu = { workers = 1, concurrency = 2, queues = { images = 1 } }, -- two thumbnails at a time
  },
}

/* The scripts' sources: see sources.h. */
#include "worker/sources.h"

#include "protocol/sources.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

int mc_sources_fd(void) {
  return fcntl(MC_WORKER_SOURCES_FD, F_SETFD, FD_CLOEXEC) == 0 ? MC_WORKER_SOURCES_FD : -1;
}

static void push_table(lua_State *L, mc_slice *rest) {
  mc_source source;
  lua_newtable(L);
  while (mc_source_next(rest, &source)) {
    lua_pushlstring(L, source.path.data, source.path.size);
    lua_pushlstring(L, source.text.data, source.text.size);
    lua_rawset(L, -3);
  }
}

static int push_mapped(lua_State *L, int fd, mc_err *err) {
  struct stat info;
  if (fstat(fd, &info))
    return mc_fail(err, MC_EIO, "the copy of the scripts: %s", strerror(errno));
  mc_slice rest = {NULL, (size_t)info.st_size};
  if (rest.size == 0) { /* an empty folder; nothing can be mapped */
    lua_newtable(L);
    return 0;
  }
  void *bytes = mmap(NULL, rest.size, PROT_READ, MAP_PRIVATE, fd, 0);
  if (bytes == MAP_FAILED)
    return mc_fail(err, MC_EIO, "the copy of the scripts: %s", strerror(errno));
  rest.data = bytes;
  push_table(L, &rest);
  munmap(bytes, (size_t)info.st_size);
  if (rest.size == 0)
    return 0;
  lua_pop(L, 1);
  return mc_fail(err, MC_EMALFORMED, "the copy of the scripts is damaged");
}

int mc_sources_push(lua_State *L, int fd, mc_err *err) {
  if (fd < 0) {
    lua_pushnil(L);
    return 0;
  }
  int rc = push_mapped(L, fd, err);
  close(fd);
  return rc;
}

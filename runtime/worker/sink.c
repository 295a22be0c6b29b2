/* Where a body goes: see sink.h. */
#include "worker/sink.h"

#include "base/mem.h"
#include "base/random.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* "folder/.name.1a2b3c4d.part"; the caller frees. */
static char *temporary_name(const char *path) {
  const char *slash = strrchr(path, '/');
  int folder = slash ? (int)(slash - path) + 1 : 0;
  mc_buf name = {0};
  mc_buf_printf(&name, "%.*s.%s.%08" PRIx32 ".part", folder, path, path + folder, mc_random_below(UINT32_MAX));
  mc_buf_add_char(&name, '\0');
  return name.data;
}

/* Giving a file its name would replace a device as well. */
static int check_target(const char *path, mc_err *err) {
  struct stat status;
  if (stat(path, &status) == 0 && !S_ISREG(status.st_mode))
    return mc_fail(err, MC_EIO, "to_file: %s is there, and is no regular file", path);
  return 0;
}

int mc_sink_init(mc_sink *sink, const char *path, uint64_t file_limit, uint64_t memory_limit, mc_err *err) {
  *sink = (mc_sink){.fd = -1, .file_limit = file_limit, .memory_limit = memory_limit};
  if (!path)
    return 0;
  int rc = check_target(path, err);
  if (rc)
    return rc;
  sink->temporary = temporary_name(path);
  sink->fd = open(sink->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (sink->fd < 0) {
    rc = mc_fail(err, MC_EIO, "to_file: cannot write in the folder of %s: %s", path, strerror(errno));
    free(sink->temporary);
    return rc;
  }
  sink->path = mc_strdup(path);
  return 0;
}

void mc_sink_deinit(mc_sink *sink) {
  if (sink->fd >= 0)
    close(sink->fd);
  if (sink->temporary)
    unlink(sink->temporary);
  free(sink->temporary);
  free(sink->path);
  mc_buf_deinit(&sink->memory);
}

static bool fail_io(mc_sink *sink) {
  sink->code = "IO_ERROR";
  mc_fail(&sink->failure, MC_EIO, "to_file: %s cannot be written: %s", sink->path, strerror(errno));
  return false;
}

static bool write_file(mc_sink *sink, const char *bytes, size_t size) {
  while (size > 0) {
    ssize_t written = write(sink->fd, bytes, size);
    if (written < 0 && errno != EINTR)
      return fail_io(sink);
    if (written > 0) {
      bytes += written;
      size -= (size_t)written;
      sink->file_size += (uint64_t)written;
    }
  }
  return true;
}

bool mc_sink_write(mc_sink *sink, const char *bytes, size_t size, bool to_file) {
  bool file = to_file && sink->fd >= 0;
  uint64_t before = file ? sink->file_size : sink->memory.size;
  uint64_t limit = file ? sink->file_limit : sink->memory_limit;
  if (size > limit || before > limit - size) {
    sink->code = "TOO_LARGE";
    mc_fail(&sink->failure, MC_EINVALID, "the answer is larger than the limit of %" PRIu64 " bytes (max_size)", limit);
    return false;
  }
  if (file)
    return write_file(sink, bytes, size);
  mc_buf_add(&sink->memory, bytes, size);
  return true;
}

bool mc_sink_keep(mc_sink *sink) {
  int fd = sink->fd;
  sink->fd = -1;
  if (fd >= 0 && (close(fd) || rename(sink->temporary, sink->path)))
    return fail_io(sink);
  free(sink->temporary);
  sink->temporary = NULL;
  return true;
}

/* Starting one worker process: see spawn.h. */
#include "supervisor/spawn.h"

#include "base/mem.h"
#include "protocol/sources.h"
#include "protocol/worker_process.h"
#include "supervisor/node.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

/* What is ours holds the way to Redis, and is not for handlers; but some of it is for them. */
static const char own_prefix[] = "MOONCREW_";
static const char *const for_handlers[] = {"MOONCREW_SMTP_URL="};

static bool is_for_workers(const char *variable) {
  for (size_t i = 0; i < MC_COUNT(for_handlers); i++)
    if (strncmp(variable, for_handlers[i], strlen(for_handlers[i])) == 0)
      return true;
  return strncmp(variable, own_prefix, sizeof own_prefix - 1) != 0;
}

char **mc_spawn_environment(char **from) {
  size_t count = 0;
  while (from[count])
    count++;
  char **copy = mc_zalloc((count + 1) * sizeof *copy);
  for (size_t i = 0, kept = 0; i < count; i++)
    if (is_for_workers(from[i]))
      copy[kept++] = mc_strdup(from[i]);
  return copy;
}

void mc_spawn_environment_free(char **environment) {
  if (!environment)
    return;
  for (char **at = environment; *at; at++)
    free(*at);
  free(environment);
}

/* The page outlives the worker in our mapping; the worker maps the same memory through the descriptor. */
static int make_page(mc_worker *worker, int *out_fd, mc_err *err) {
  uint32_t slots = (uint32_t)worker->config->concurrency;
  size_t size = mc_page_size(slots);
  int fd = memfd_create("mooncrew-page", MFD_CLOEXEC);
  if (fd < 0)
    return mc_fail(err, MC_EIO, "memfd_create: %s", strerror(errno));
  void *memory = MAP_FAILED;
  if (ftruncate(fd, (off_t)size) == 0)
    memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (memory == MAP_FAILED) {
    int rc = mc_fail(err, MC_EIO, "cannot map the page shared with a worker: %s", strerror(errno));
    close(fd);
    return rc;
  }
  worker->page = memory;
  worker->page->slot_count = slots;
  *out_fd = fd;
  return 0;
}

static int start_process(mc_worker *worker, char **environment, uv_exit_cb on_exit, const int files[3]) {
  char *arguments[] = {"mooncrew", "worker", NULL};
  uv_stdio_container_t stdio[] = {
      {.flags = UV_IGNORE},
      {.flags = UV_INHERIT_FD, .data.fd = STDOUT_FILENO},
      {.flags = UV_INHERIT_FD, .data.fd = STDERR_FILENO},
      [MC_WORKER_SOCKET_FD] = {.flags = UV_INHERIT_FD, .data.fd = files[0]},
      [MC_WORKER_PAGE_FD] = {.flags = UV_INHERIT_FD, .data.fd = files[1]},
      [MC_WORKER_SOURCES_FD] = {.flags = UV_INHERIT_FD, .data.fd = files[2]},
  };
  uv_process_options_t options = {
      .exit_cb = on_exit,
      .file = "/proc/self/exe", /* in the child still this very binary, also when another was installed meanwhile */
      .args = arguments,
      .env = environment,
      .flags = UV_PROCESS_DETACHED, /* a session of its own: a terminal's Ctrl-C reaches the supervisor alone */
      .stdio_count = MC_COUNT(stdio),
      .stdio = stdio,
  };
  return uv_spawn(&worker->node->loop, &worker->process, &options);
}

int mc_spawn_worker(mc_worker *worker, char **environment, int sources, uv_exit_cb on_exit, mc_err *err) {
  int sockets[2] = {-1, -1}, page = -1;
  int rc = make_page(worker, &page, err);
  if (rc == 0 && socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets))
    rc = mc_fail(err, MC_EIO, "socketpair: %s", strerror(errno));
  if (rc == 0) {
    worker->holders++;
    rc = mc_channel_open(&worker->channel, &worker->node->loop, sockets[0], err);
  }
  if (rc == 0) {
    worker->holders++;
    worker->has_process = true; /* also a process that could not be started leaves a handle to close */
    rc = start_process(worker, environment, on_exit, (int[]){sockets[1], page, sources});
    if (rc)
      rc = mc_fail(err, MC_EIO, "cannot start a worker from /proc/self/exe: %s", uv_strerror(rc));
  }
  if (sockets[1] >= 0)
    close(sockets[1]);
  if (page >= 0)
    close(page);
  return rc;
}

/* The private Redis of `mooncrew dev`: see private_redis.h. */
#include "cli/private_redis.h"

#include "base/clock.h"
#include "cli/redis_process.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define START_LIMIT_MS 60000 /* a large append-only file takes a while to load */
#define STOP_LIMIT_MS 10000
#define PING_LIMIT_S 1
#define PING_EVERY_MS 10

typedef enum answer { ANSWER_NONE, ANSWER_NOT_YET, ANSWER_READY } answer;

static int socket_connect(const char *path) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  struct timeval limit = {.tv_sec = PING_LIMIT_S};
  if (strlen(path) > MC_SOCKET_PATH_MAX)
    return -1;
  memcpy(address.sun_path, path, strlen(path));
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0)
    return -1;
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0)
    return fd;
  close(fd);
  return -1;
}

/* An error reply, such as LOADING, is a life sign too. */
static answer ping(const char *path) {
  static const char command[] = "PING\r\n";
  char reply[64] = "";
  ssize_t size = 0;
  int fd = socket_connect(path);
  if (fd < 0)
    return ANSWER_NONE;
  if (send(fd, command, sizeof command - 1, MSG_NOSIGNAL) == (ssize_t)(sizeof command - 1))
    size = recv(fd, reply, sizeof reply - 1, 0);
  close(fd);
  if (size <= 0)
    return ANSWER_NONE;
  return reply[0] == '+' ? ANSWER_READY : reply[0] == '-' ? ANSWER_NOT_YET : ANSWER_NONE;
}

bool mc_private_redis_alive(const char *socket) {
  return ping(socket) != ANSWER_NONE;
}

static int lock_take(const char *folder, int *out, mc_err *err) {
  char path[PATH_MAX + sizeof "/lock"];
  snprintf(path, sizeof path, "%s/lock", folder);
  int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0)
    return mc_fail(err, MC_EIO, "cannot open %s: %s", path, strerror(errno));
  if (flock(fd, LOCK_EX | LOCK_NB) == 0) {
    *out = fd;
    return 0;
  }
  int number = errno;
  close(fd);
  if (number != EWOULDBLOCK)
    return mc_fail(err, MC_EIO, "cannot lock %s: %s", path, strerror(number));
  return mc_fail(err, MC_ECONFLICT, "a private Redis already runs in %s: stop the other `mooncrew dev` first", folder);
}

static int refuse_spawn(int number, mc_err *err) {
  if (number == ENOENT)
    return mc_fail(err, MC_ENOT_FOUND,
                   "redis-server is not installed: install it (apt-get install redis-server), or use `mooncrew run` "
                   "with a Redis that runs already");
  return mc_fail(err, MC_EIO, "cannot start redis-server: %s", strerror(number));
}

/* The last line that the server wrote, without its line end. */
static void log_last_line(const char *folder, char *line, size_t size) {
  char path[PATH_MAX + sizeof "/redis.log"], next[256];
  snprintf(path, sizeof path, "%s/redis.log", folder);
  snprintf(line, size, "it wrote nothing");
  FILE *file = fopen(path, "re");
  if (!file)
    return;
  while (fgets(next, sizeof next, file))
    if (next[strspn(next, " \r\n")])
      snprintf(line, size, "%.*s", (int)strcspn(next, "\r\n"), next);
  fclose(file);
}

static int refuse_ended(const char *folder, int status, mc_err *err) {
  char line[256];
  log_last_line(folder, line, sizeof line);
  return mc_fail(err, MC_EIO, "redis-server ended at once (%s %d): %s; the whole log is in %s/redis.log",
                 WIFSIGNALED(status) ? "signal" : "exit code",
                 WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status), line, folder);
}

/* Until the server answers, or ends, or the time is up. The end is an event; the socket has to be tried. */
static int await_ready(const char *folder, const char *socket, pid_t pid, mc_err *err) {
  uint64_t deadline = mc_clock_mono_ms() + START_LIMIT_MS;
  while (ping(socket) != ANSWER_READY) {
    if (mc_redis_process_wait(pid, PING_EVERY_MS))
      return refuse_ended(folder, mc_redis_process_reap(pid), err);
    if (mc_clock_mono_ms() >= deadline) {
      mc_private_redis_stop(pid);
      return mc_fail(err, MC_ETIMEOUT, "redis-server does not answer on %s after %d s: see %s/redis.log", socket,
                     START_LIMIT_MS / 1000, folder);
    }
  }
  return 0;
}

int mc_private_redis_start(const char *folder, const char *socket, pid_t *out, mc_err *err) {
  int lock;
  pid_t pid;
  if (strlen(socket) > MC_SOCKET_PATH_MAX)
    return mc_fail(err, MC_EINVALID, "the socket path %s is longer than %d bytes", socket, MC_SOCKET_PATH_MAX);
  int code = lock_take(folder, &lock, err);
  if (code)
    return code;
  int number = mc_redis_process_spawn(folder, socket, lock, &pid);
  close(lock); /* the server has its own copy, and with it the lock */
  if (number)
    return refuse_spawn(number, err);
  code = await_ready(folder, socket, pid, err);
  if (code)
    return code;
  *out = pid;
  return 0;
}

void mc_private_redis_stop(pid_t pid) {
  kill(pid, SIGTERM);
  if (!mc_redis_process_wait(pid, STOP_LIMIT_MS))
    kill(pid, SIGKILL);
  mc_redis_process_reap(pid);
}

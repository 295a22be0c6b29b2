/* The process of a private redis-server: see redis_process.h. */
#include "cli/redis_process.h"

#include "base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* What the child needs between fork and exec, where only async-signal-safe calls are allowed. */
typedef struct child {
  const char *folder, *socket;
  pid_t parent;
  int lock;
  int failed; /* where errno goes when exec does not happen; closed by exec */
} child;

static void child_reset_signals(void) {
  sigset_t none;
  for (int number = 1; number < NSIG; number++)
    signal(number, SIG_DFL);
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
}

static int child_redirect(void) {
  int input = open("/dev/null", O_RDONLY | O_CLOEXEC);
  int output = open("redis.log", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (input < 0 || output < 0)
    return -1;
  return dup2(input, 0) < 0 || dup2(output, 1) < 0 || dup2(output, 2) < 0 ? -1 : 0;
}

static int child_become_redis(const child *self) {
  const char *const arguments[] = {
      "redis-server", "--port",       "0",   "--unixsocket", self->socket, "--unixsocketperm",
      "700",          "--dir",        ".",   "--pidfile",    "redis.pid",  "--daemonize",
      "no",           "--appendonly", "yes", "--save",       "",           NULL,
  };
  if (setsid() < 0 || prctl(PR_SET_PDEATHSIG, SIGTERM) != 0)
    return -1;
  if (getppid() != self->parent) /* it died before the line above */
    _exit(1);
  umask(077);
  if (chdir(self->folder) != 0 || child_redirect() != 0 || fcntl(self->lock, F_SETFD, 0) != 0)
    return -1;
  return execvp(arguments[0], (char *const *)arguments);
}

static void child_run(const child *self) {
  child_reset_signals();
  child_become_redis(self);
  int number = errno;
  ssize_t written = write(self->failed, &number, sizeof number);
  _exit(written == sizeof number ? 127 : 126);
}

/* The errno that the child sent before it gave up; 0 when exec closed the pipe. */
static int read_failure(int fd) {
  int number = 0;
  ssize_t size;
  do
    size = read(fd, &number, sizeof number);
  while (size < 0 && errno == EINTR);
  return size == (ssize_t)sizeof number ? number : 0;
}

int mc_redis_process_spawn(const char *folder, const char *socket, int lock, pid_t *out) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0)
    return errno;
  child self = {.folder = folder, .socket = socket, .parent = getpid(), .lock = lock, .failed = ends[1]};
  pid_t pid = fork();
  if (pid == 0)
    child_run(&self);
  int number = pid < 0 ? errno : 0;
  close(ends[1]);
  if (pid > 0) {
    number = read_failure(ends[0]);
    if (number)
      mc_redis_process_reap(pid);
    else
      *out = pid;
  }
  close(ends[0]);
  return number;
}

bool mc_redis_process_wait(pid_t pid, int limit_ms) {
  siginfo_t info;
  struct pollfd ended = {.fd = pidfd_open(pid, 0), .events = POLLIN};
  if (ended.fd < 0)
    return waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT) == 0 || errno == ECHILD;
  uint64_t deadline = mc_clock_mono_ms() + (uint64_t)limit_ms;
  int count;
  do {
    uint64_t now = mc_clock_mono_ms();
    count = poll(&ended, 1, now < deadline ? (int)(deadline - now) : 0);
  } while (count < 0 && errno == EINTR);
  close(ended.fd);
  return count > 0;
}

int mc_redis_process_reap(pid_t pid) {
  int status = 0;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
    ;
  return status;
}

/* A `mooncrew run` under measurement: see crew.h. Reads /proc. */
#include "crew.h"

#include "base/clock.h"
#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define READY_WITHIN_MS 20000
#define LOOK_EVERY_US 10000
#define MAX_PROCESSES 64

struct crew {
  pid_t pids[MAX_PROCESSES]; /* the supervisor first */
  int count;
  char log[64];
};

static void die(const char *what, const char *detail) {
  fprintf(stderr, "bench: %s: %s\n", what, detail);
  exit(1);
}

static char *read_file(const char *path) {
  static char text[1 << 16];
  int fd = open(path, O_RDONLY);
  ssize_t size = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
  if (fd >= 0)
    close(fd);
  text[size > 0 ? size : 0] = '\0';
  return text;
}

static int count_lines_with(const char *text, const char *what) {
  int count = 0;
  for (const char *at = text; (at = strstr(at, what)); at++)
    count++;
  return count;
}

static void exec_crew(const char *url, int workers, const char *log) {
  char count[16];
  const char *program = getenv("MOONCREW");
  int fd = open(log, O_WRONLY | O_CREAT | O_TRUNC, 0600);
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  dup2(fd, STDOUT_FILENO);
  dup2(fd, STDERR_FILENO);
  setenv("MOONCREW_REDIS", url, 1);
  snprintf(count, sizeof count, "%d", workers);
  execl(program, "mooncrew", "run", "--scripts", "tests/bench/scripts", "--workers", count, "--queues", "default=1",
        (char *)NULL);
  _exit(127);
}

static void find_workers(struct crew *crew) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/task/%d/children", crew->pids[0], crew->pids[0]);
  char *at = read_file(path), *end;
  for (long pid; (pid = strtol(at, &end, 10)) > 0 && crew->count < MAX_PROCESSES; at = end)
    crew->pids[crew->count++] = (pid_t)pid;
}

struct crew *crew_start(const char *url, int workers) {
  struct crew *started = mc_zalloc(sizeof *started);
  snprintf(started->log, sizeof started->log, "/tmp/mooncrew-bench-%d.log", (int)getpid());
  started->count = 1;
  started->pids[0] = fork();
  if (started->pids[0] < 0)
    die("fork", strerror(errno));
  if (started->pids[0] == 0)
    exec_crew(url, workers, started->log);
  uint64_t deadline_ms = mc_clock_mono_ms() + READY_WITHIN_MS;
  while (count_lines_with(read_file(started->log), "worker ready") < workers) {
    if (waitpid(started->pids[0], NULL, WNOHANG) || mc_clock_mono_ms() > deadline_ms)
      die("mooncrew run did not become ready", read_file(started->log));
    usleep(LOOK_EVERY_US);
  }
  find_workers(started);
  return started;
}

void crew_stop(struct crew *crew) {
  kill(crew->pids[0], SIGTERM);
  waitpid(crew->pids[0], NULL, 0);
  unlink(crew->log);
  free(crew);
}

double crew_cpu_s(const struct crew *crew) {
  double total = 0;
  for (int i = 0; i < crew->count; i++) {
    char path[64];
    unsigned long user = 0, system = 0;
    snprintf(path, sizeof path, "/proc/%d/stat", crew->pids[i]);
    const char *after_name = strrchr(read_file(path), ')');
    if (!after_name || sscanf(after_name, ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system) != 2)
      die("a process of mooncrew is gone", path);
    total += (double)(user + system) / (double)sysconf(_SC_CLK_TCK);
  }
  return total;
}

double crew_peak_rss_mb(const struct crew *crew) {
  double total = 0;
  for (int i = 0; i < crew->count; i++) {
    char path[64];
    double kb = 0;
    snprintf(path, sizeof path, "/proc/%d/status", crew->pids[i]);
    const char *peak = strstr(read_file(path), "VmHWM:");
    if (!peak || sscanf(peak, "VmHWM: %lf", &kb) != 1)
      die("a process of mooncrew is gone", path);
    total += kb / 1024;
  }
  return total;
}

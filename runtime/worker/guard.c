/* The guard of one program: see guard.h. */
#include "worker/guard.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define GUARD_PATIENCE_MS 5000
#define LOOK_AGAIN_MS 50
#define STARTED 0 /* as a report's end: none yet */

enum { ARG_PARENT = 2, ARG_FOLDER, ARG_PROGRAM };

static void block_signals(sigset_t *waited) {
  sigemptyset(waited);
  sigaddset(waited, SIGTERM);
  sigaddset(waited, SIGCHLD);
  sigprocmask(SIG_BLOCK, waited, NULL);
}

/* A worker that died before this ran has sent no signal. */
static bool worker_lives(const char *parent) {
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  return getppid() == atoi(parent);
}

static _Noreturn void fail_start(int to, mc_guard_end end) {
  mc_guard_report report = {end, errno};
  ssize_t written = write(to, &report, sizeof report);
  _exit(written == sizeof report ? 127 : 126);
}

/* In the new process. Its death is bound to the guard's, in case that is killed. */
static _Noreturn void become_program(const char *folder, char **program, int report) {
  sigset_t none;
  sigemptyset(&none);
  setpgid(0, 0);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  sigprocmask(SIG_SETMASK, &none, NULL);
  if (*folder && chdir(folder))
    fail_start(report, MC_GUARD_NO_FOLDER);
  execvp(program[0], program);
  fail_start(report, MC_GUARD_NO_PROGRAM);
}

/* Returns the program's process, or -1 and why in *report. The program has been started when this returns. */
static pid_t start_program(const char *folder, char **program, mc_guard_report *report) {
  int pipe_ends[2];
  *report = (mc_guard_report){MC_GUARD_NO_PROGRAM, EAGAIN};
  if (pipe2(pipe_ends, O_CLOEXEC))
    return -1;
  pid_t pid = fork();
  if (pid == 0)
    become_program(folder, program, pipe_ends[1]);
  close(pipe_ends[1]);
  if (pid > 0 && read(pipe_ends[0], report, sizeof *report) == 0)
    report->end = STARTED;
  close(pipe_ends[0]);
  return report->end == STARTED ? pid : -1;
}

/* The program's ends of its pipes are its own: who reads or writes them hears of its end, not of ours. */
static void leave_standard_files(void) {
  for (int fd = 0; fd <= 2; fd++)
    close(fd);
}

/* Reaps what has ended; false when there is no child left. */
static bool reap(pid_t program, mc_guard_report *report) {
  int status;
  pid_t pid;
  while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
    if (pid != program)
      continue;
    if (WIFSIGNALED(status))
      *report = (mc_guard_report){MC_GUARD_SIGNALED, WTERMSIG(status)};
    else
      *report = (mc_guard_report){MC_GUARD_EXITED, WEXITSTATUS(status)};
  }
  return pid == 0;
}

/* ---- killing what is left ---- */

/* "pid (name) state parent …", where the name may hold anything. */
static pid_t parent_of(const char *pid) {
  char path[64], text[512];
  snprintf(path, sizeof path, "/proc/%.20s/stat", pid);
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  ssize_t size = fd < 0 ? 0 : read(fd, text, sizeof text - 1);
  if (fd >= 0)
    close(fd);
  text[size > 0 ? size : 0] = '\0';
  const char *name_end = strrchr(text, ')');
  int parent;
  return name_end && sscanf(name_end + 1, " %*c %d", &parent) == 1 ? parent : -1;
}

static void kill_children(void) {
  DIR *processes = opendir("/proc");
  if (!processes)
    return;
  for (struct dirent *entry; (entry = readdir(processes));)
    if (isdigit((unsigned char)entry->d_name[0]) && parent_of(entry->d_name) == getpid())
      kill(atoi(entry->d_name), SIGKILL);
  closedir(processes);
}

static int64_t now_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* The children of what is killed become ours, and are killed in the next round. program 0: it has ended. */
static void kill_all(pid_t program) {
  mc_guard_report ignored;
  sigset_t child;
  sigemptyset(&child);
  sigaddset(&child, SIGCHLD);
  int64_t until_ms = now_ms() + GUARD_PATIENCE_MS;
  if (program > 0)
    kill(-program, SIGKILL); /* its whole group at once; the rest one by one */
  while (reap(program, &ignored) && now_ms() < until_ms) {
    kill_children();
    sigtimedwait(&child, NULL, &(struct timespec){.tv_nsec = LOOK_AGAIN_MS * 1000000});
  }
}

static void guard_program(pid_t program, const sigset_t *waited, mc_guard_report *report) {
  int signal = 0;
  while (report->end == STARTED && signal != SIGTERM) {
    signal = sigwaitinfo(waited, NULL);
    reap(program, report);
  }
  kill_all(report->end == STARTED ? program : 0);
}

int mc_guard_run(int argc, char **argv) {
  sigset_t waited;
  mc_guard_report report;
  if (argc <= ARG_PROGRAM)
    return EXIT_FAILURE;
  block_signals(&waited);
  if (!worker_lives(argv[ARG_PARENT]))
    return EXIT_FAILURE;
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  fcntl(MC_GUARD_REPORT_FD, F_SETFD, FD_CLOEXEC);
  close_range(MC_GUARD_REPORT_FD + 1, ~0U, 0); /* what the worker's scripts have opened */
  pid_t program = start_program(argv[ARG_FOLDER], &argv[ARG_PROGRAM], &report);
  leave_standard_files();
  if (program > 0)
    guard_program(program, &waited, &report);
  if (report.end != STARTED && write(MC_GUARD_REPORT_FD, &report, sizeof report) != sizeof report)
    return EXIT_FAILURE;
  _exit(EXIT_SUCCESS);
}

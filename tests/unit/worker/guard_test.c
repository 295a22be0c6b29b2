/* The guard of a program: it tells how the program ended, and kills what that leaves behind. */
#include "worker/guard.h"

#include <errno.h>
#include <setjmp.h>
#include <stdbool.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

typedef struct guarded {
  pid_t guard;
  int report; /* the end to read */
} guarded;

/* Runs `sh -c text` (or the program, when it is not NULL) under a guard, in a process of its own. */
static guarded start(const char *folder, const char *program, const char *text) {
  int ends[2];
  char parent[16];
  snprintf(parent, sizeof parent, "%d", (int)getpid());
  assert_int_equal(pipe(ends), 0);
  pid_t pid = fork();
  if (pid == 0) {
    char *arguments[] = {"mooncrew", "guard",      parent, (char *)folder, (char *)(program ? program : "sh"),
                         "-c",       (char *)text, NULL};
    close(ends[0]);
    if (dup2(ends[1], MC_GUARD_REPORT_FD) >= 0)
      _exit(mc_guard_run(7, arguments));
    _exit(99);
  }
  close(ends[1]);
  return (guarded){pid, ends[0]};
}

/* Waits for the guard's end; the report's end is 0 when there was none. */
static mc_guard_report finish(guarded self) {
  mc_guard_report report = {0};
  int status;
  ssize_t size = read(self.report, &report, sizeof report);
  assert_true(size == 0 || size == sizeof report);
  assert_int_equal(waitpid(self.guard, &status, 0), self.guard);
  close(self.report);
  return report;
}

static void assert_report(mc_guard_report report, int end, int value) {
  assert_int_equal(report.end, end);
  assert_int_equal(report.value, value);
}

static void tells_how_the_program_ended(void **state) {
  (void)state;
  assert_report(finish(start("", NULL, "exit 0")), MC_GUARD_EXITED, 0);
  assert_report(finish(start("", NULL, "exit 42")), MC_GUARD_EXITED, 42);
  assert_report(finish(start("", NULL, "kill -USR1 $$")), MC_GUARD_SIGNALED, SIGUSR1);
  assert_report(finish(start("/usr", NULL, "test \"$PWD\" = /usr")), MC_GUARD_EXITED, 0);
}

static void tells_why_it_could_not_run(void **state) {
  (void)state;
  assert_report(finish(start("", "/no/such/program", "")), MC_GUARD_NO_PROGRAM, ENOENT);
  assert_report(finish(start("", "/etc/passwd", "")), MC_GUARD_NO_PROGRAM, EACCES);
  assert_report(finish(start("/no/such/folder", NULL, "")), MC_GUARD_NO_FOLDER, ENOENT);
}

/* Nothing can be read from a pipe whose last writer is the guarded program's daemon until that has ended. */
static void assert_daemon_ends(const char *text, bool told) {
  int ends[2];
  char byte;
  assert_int_equal(pipe(ends), 0);
  int output = dup(STDOUT_FILENO);
  dup2(ends[1], STDOUT_FILENO);
  guarded self = start("", NULL, text);
  dup2(output, STDOUT_FILENO);
  close(output);
  close(ends[1]);
  assert_int_equal(read(ends[0], &byte, 1), 1); /* the daemon is there */
  if (told)
    kill(self.guard, SIGTERM);
  assert_int_equal(read(ends[0], &byte, 1), 0);
  close(ends[0]);
  if (told)
    assert_report(finish(self), 0, 0);
  else
    assert_report(finish(self), MC_GUARD_EXITED, 3);
}

static void kills_what_the_program_leaves_behind(void **state) {
  (void)state;
  assert_daemon_ends("(setsid sh -c 'printf x; trap \"\" TERM; sleep 1000' &); sleep 0.3; exit 3", false);
}

static void kills_all_when_it_is_told_to_end(void **state) {
  (void)state;
  assert_daemon_ends("(setsid sh -c 'printf x; trap \"\" TERM; sleep 1000' &); trap '' TERM; sleep 1000", true);
}

static void starts_nothing_without_its_worker(void **state) {
  char *arguments[] = {"mooncrew", "guard", "1", "", "true", NULL};
  (void)state;
  pid_t pid = fork();
  if (pid == 0)
    _exit(mc_guard_run(5, arguments));
  int status;
  assert_int_equal(waitpid(pid, &status, 0), pid);
  assert_int_equal(WEXITSTATUS(status), 1);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(tells_how_the_program_ended),          cmocka_unit_test(tells_why_it_could_not_run),
      cmocka_unit_test(kills_what_the_program_leaves_behind), cmocka_unit_test(kills_all_when_it_is_told_to_end),
      cmocka_unit_test(starts_nothing_without_its_worker),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SIGPIPE during a call: neither deadly, nor left over, nor stolen from its owner. */
#include "client/sigpipe.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

static bool is_blocked(void) {
  sigset_t mask;
  pthread_sigmask(SIG_SETMASK, NULL, &mask);
  return sigismember(&mask, SIGPIPE) == 1;
}

static bool is_pending(void) {
  sigset_t pending;
  sigpending(&pending);
  return sigismember(&pending, SIGPIPE) == 1;
}

/* Has the kernel raise the signal as a write to a closed connection does. */
static void write_to_nobody(void) {
  int ends[2];
  assert_int_equal(pipe(ends), 0);
  close(ends[0]);
  assert_int_equal(write(ends[1], "x", 1), -1);
  close(ends[1]);
}

static void a_write_to_nobody_ends_no_process(void **state) {
  mc_sigpipe sigpipe;
  (void)state;
  mc_sigpipe_block(&sigpipe);
  write_to_nobody();
  assert_true(is_pending());
  mc_sigpipe_restore(&sigpipe);
  assert_false(is_blocked());
  assert_false(is_pending());
}

static void a_signal_that_waited_before_stays(void **state) {
  mc_sigpipe sigpipe;
  sigset_t set;
  struct timespec at_once = {0, 0};
  (void)state;
  sigemptyset(&set);
  sigaddset(&set, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &set, NULL);
  write_to_nobody();
  mc_sigpipe_block(&sigpipe);
  mc_sigpipe_restore(&sigpipe);
  assert_true(is_blocked());
  assert_int_equal(sigtimedwait(&set, NULL, &at_once), SIGPIPE);
  pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_write_to_nobody_ends_no_process),
      cmocka_unit_test(a_signal_that_waited_before_stays),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SIGPIPE is blocked during a call: see sigpipe.h. */
#include "client/sigpipe.h"

#include <pthread.h>
#include <stddef.h>
#include <time.h>

static bool is_pending(void) {
  sigset_t pending;
  sigpending(&pending);
  return sigismember(&pending, SIGPIPE) == 1;
}

static sigset_t only_sigpipe(void) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGPIPE);
  return set;
}

void mc_sigpipe_block(mc_sigpipe *sigpipe) {
  sigset_t set = only_sigpipe();
  sigpipe->was_pending = is_pending();
  pthread_sigmask(SIG_BLOCK, &set, &sigpipe->before);
}

void mc_sigpipe_restore(const mc_sigpipe *sigpipe) {
  sigset_t set = only_sigpipe();
  struct timespec at_once = {0, 0};
  if (!sigpipe->was_pending && is_pending())
    sigtimedwait(&set, NULL, &at_once); /* raised by our own write: it goes to the thread that wrote */
  pthread_sigmask(SIG_SETMASK, &sigpipe->before, NULL);
}

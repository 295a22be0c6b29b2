/* Keeps SIGPIPE from ending the caller's process while a call writes to a connection that the server has closed.
 *
 * libuv writes without MSG_NOSIGNAL, and a library must not change the process' signal dispositions, so the signal is
 * blocked for this thread during a call, and one that the call itself raised is taken back before it ends.
 */
#ifndef MC_CLIENT_SIGPIPE_H
#define MC_CLIENT_SIGPIPE_H

#include <signal.h>
#include <stdbool.h>

typedef struct mc_sigpipe {
  sigset_t before;  /* the thread's mask */
  bool was_pending; /* one from before the call stays for its owner */
} mc_sigpipe;

void mc_sigpipe_block(mc_sigpipe *sigpipe);
void mc_sigpipe_restore(const mc_sigpipe *sigpipe);

#endif

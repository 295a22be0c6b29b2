/* Looks up the hosts that PostgreSQL's settings name, on libuv's thread pool, since libpq would block in it: hostaddr
 * then holds the addresses, and host (for the check of certificates) and port are repeated to match.
 */
#ifndef MC_WORKER_POSTGRES_HOSTS_H
#define MC_WORKER_POSTGRES_HOSTS_H

#include "worker/postgres_settings.h"

#include <uv.h>

typedef struct mc_postgres_lookup mc_postgres_lookup;

/* status 0: the settings are complete. MC_EUNAVAILABLE: none of the hosts is known, and the reason says which. */
typedef void (*mc_postgres_lookup_fn)(void *arg, int status, const char *reason);

/* 0 and NULL when nothing is to be looked up: the settings are complete, fn does not run. 0 and a lookup: fn runs once,
 * later, and the lookup is gone with it; the settings are borrowed until then. MC_EUNAVAILABLE when it failed at once.
 */
int mc_postgres_lookup_start(uv_loop_t *loop, mc_postgres_settings *settings, mc_postgres_lookup_fn fn, void *arg,
                             mc_postgres_lookup **out, mc_err *err);

/* fn does not run, the settings are not used any more; the memory goes when a thread is done with it. */
void mc_postgres_lookup_stop(mc_postgres_lookup *lookup);

#endif

/* The page of memory that a worker shares with the supervisor: a memfd, MC_WORKER_PAGE_FD of the worker.
 *
 * The worker writes, the supervisor reads, also after the worker's death. `current` is the attempt whose code is
 * running right now, or for which something that came in is being dealt with (0: none): it alone is blamed when the
 * worker dies. A slot is filled when a handler starts and emptied when its result is queued for the socket; the
 * supervisor reads from it which tasks had started, and which are past their time. Single words, written and read with
 * atomics; times are CLOCK_MONOTONIC milliseconds.
 *
 * `steps` grows with every value of `current` but 0: two looks that find the same attempt and the same number have seen
 * the same piece of its code, which has not come back to the loop between them.
 *
 * `loading` is, until the worker is ready, where its scripts have come to: the place of the file among those of its
 * copy of the scripts (protocol/sources.h), from 1, in the upper half, and the line, 0 when it is not known, in the
 * lower one. 0: no script is at work. So a script that does not come to its end, or ends its worker, is known by name.
 *
 * `peak` and `grown` tell who took the memory of a worker that has too much (worker/growth.h): `peak` is the largest
 * resident set that was measured so far, and a slot's `grown` the part by which its task's code has raised that.
 *
 * Behind the slots each has a place for the error of a handler that has failed, filled before functions of the scripts
 * (crew.on_error, retry functions) hear of it: one that takes the worker with it must not hide what it was called for.
 * Attempts are not used twice, so that nobody needs to clear it; memory is taken where something is written.
 *
 * Two words go the other way, since a worker that runs Lua code for long, or is stuck, reads no frames. `cancelled` of
 * a slot tells the handler in it to stop. `withdrawn` takes back what has not started: the supervisor stores a number
 * there and then looks at `newest`; the worker stores there what it starts and then looks at `withdrawn`. So of an
 * attempt that starts at that very moment at least one of them learns, and none runs twice. The slots would not tell:
 * the result of what is in none may be on its way.
 */
#ifndef MC_PROTOCOL_SHARED_PAGE_H
#define MC_PROTOCOL_SHARED_PAGE_H

#include <stddef.h>
#include <stdint.h>

typedef struct mc_page_slot {
  _Atomic uint64_t attempt; /* 0: free. Written last when filling, first when emptying. */
  _Atomic uint64_t started_ms;
  _Atomic uint64_t deadline_ms; /* 0: none */
  _Atomic uint64_t cancelled;   /* by the supervisor: the attempt that it wants to stop, if that is still here */
  _Atomic uint64_t grown;       /* bytes */
} mc_page_slot;

typedef struct mc_page {
  _Atomic uint64_t current;
  _Atomic uint64_t slot_count;
  _Atomic uint64_t newest;    /* the highest number of an attempt that was ever started */
  _Atomic uint64_t withdrawn; /* by the supervisor: attempts up to this one are not to be started any more */
  _Atomic uint64_t peak;      /* bytes */
  _Atomic uint64_t steps;     /* how often an attempt's code was begun; grows before `current` changes */
  _Atomic uint64_t loading;   /* file << 32 | line */
  mc_page_slot slots[];
} mc_page;

#define MC_PAGE_FAILURE_MAX 488 /* bytes of an error that are kept */

typedef struct mc_page_failure {
  _Atomic uint64_t attempt; /* 0: nothing was ever written here. Written last. */
  _Atomic uint64_t size;
  char text[MC_PAGE_FAILURE_MAX];
} mc_page_failure;

static inline size_t mc_page_size(uint32_t concurrency) {
  return sizeof(mc_page) + concurrency * (sizeof(mc_page_slot) + sizeof(mc_page_failure));
}

static inline mc_page_failure *mc_page_failure_of(mc_page *page, uint32_t concurrency, uint32_t slot) {
  return (mc_page_failure *)(void *)&page->slots[concurrency] + slot;
}

#endif

/* One-shot timers of Lua code: a callback after a delay. Their uv handles are kept and used again. */
#ifndef MC_WORKER_TIMERS_H
#define MC_WORKER_TIMERS_H

#include "worker/vm.h"

#include <uv.h>

typedef struct mc_timer mc_timer;

typedef struct mc_timers {
  uv_loop_t *loop;
  mc_vm *vm;
  mc_timer **all; /* by index */
  uint32_t count, room;
  mc_timer *idle; /* stopped ones, to be used again */
} mc_timers;

/* A zeroed struct with loop and vm set is ready. */

/* Calls the function behind the reference once, no earlier than seconds from now, and then releases the reference.
 * Returns the timer's number, never used for another one. */
uint64_t mc_timers_start(mc_timers *timers, double seconds, int reference);

/* The callback will not be called. Harmless when it was already, or was stopped. */
void mc_timers_stop(mc_timers *timers, uint64_t number);

#endif

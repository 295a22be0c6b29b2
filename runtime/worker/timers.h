/* One-shot timers of Lua code: a callback after a delay. Up to MC_TIMERS_IDLE_MAX uv handles that are not in use
 * are kept, to be used again; those beyond are closed. */
#ifndef MC_WORKER_TIMERS_H
#define MC_WORKER_TIMERS_H

#include "worker/vm.h"

#include <uv.h>

#define MC_TIMERS_IDLE_MAX 256

typedef struct mc_timer mc_timer;

/* What timers have one after the other. */
typedef struct mc_timer_place {
  mc_timer *timer;      /* NULL: vacant */
  uint32_t uses;        /* tells the timers apart that had this place */
  uint32_t next_vacant; /* as mc_timers.vacant */
} mc_timer_place;

typedef struct mc_timers {
  uv_loop_t *loop;
  mc_vm *vm;
  mc_timer_place *places;
  uint32_t count, room; /* of places */
  uint32_t vacant;      /* 1 + index of a place without a timer; 0: there is none */
  mc_timer *idle;       /* stopped ones, to be used again */
  uint32_t idle_count;
} mc_timers;

/* A zeroed struct with loop and vm set is ready. */

/* Calls the function behind the reference once, no earlier than seconds from now, and then releases the reference.
 * Returns the timer's number, never used for another one. */
uint64_t mc_timers_start(mc_timers *timers, double seconds, int reference);

/* The callback will not be called. Harmless when it was already, or was stopped. */
void mc_timers_stop(mc_timers *timers, uint64_t number);

#endif

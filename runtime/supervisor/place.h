/* A place that one worker serves.
 *
 * Others may belong to it: those that were retired and finish what they run, which counts against their successor's
 * slots, and those that are being made ready to take it over (retire.h).
 *
 * The first respawn comes at once; from the second quick death on it waits longer each time. A death is quick when the
 * worker was not ready, or had been so for less than a second and had ended nothing. Where a task is to blame the wait
 * stays short: such a task is archived soon, and the others should not wait for it.
 *
 * A worker whose scripts do not load is not started again, unless one at its place was ready before: then what fails is
 * what a function of crew.on_start needs, and may pass.
 */
#ifndef MC_SUPERVISOR_PLACE_H
#define MC_SUPERVISOR_PLACE_H

#include "supervisor/worker.h"

struct mc_section;

typedef struct mc_pool_place {
  struct mc_node *node;
  struct mc_section *section;
  mc_worker *worker; /* who serves it or is about to; NULL: none */
  size_t retired;    /* workers that served it before and still live */
  uv_timer_t respawn;
  unsigned quick_deaths;  /* in a row */
  unsigned quick_growths; /* in a row: workers above memory_limit soon after their start */
  bool served;            /* a worker was ready here */
} mc_pool_place;

void mc_place_open(mc_pool_place *place); /* starts its worker */

/* What is to come after the worker that served it, whose process has ended with this exit status. */
void mc_place_vacate(mc_pool_place *place, const mc_worker *worker, int64_t status);

void mc_place_respawn(mc_pool_place *place, uint64_t delay_ms); /* nothing once the supervisor stops */

/* Kills who belongs to it and has not ended within kill_grace. Closed once nobody does: a worker's end says so by
 * mc_place_close_when_deserted. */
void mc_place_close(mc_pool_place *place);
void mc_place_close_when_deserted(mc_pool_place *place);

#endif

/* Whose code the worker's memory came with: measured between the steps of tasks, and around what the loop does on a
 * task's behalf (behalf.h); kept in the shared page.
 *
 * What is measured is the largest resident set so far, so that memory of Lua and of native code count alike, and what
 * is freed and taken again counts once: a task that only makes garbage is not charged for it again and again, and all
 * the charges together are no more than the worker ever had. That mark is not of this program alone: at first it is
 * the supervisor's, up to which nobody is charged.
 *
 * Measuring is a system call (0.3 µs), and few steps need it: a short one that leaves Lua's heap below its own mark
 * cannot have taken much. What such steps take nevertheless is nobody's.
 */
#ifndef MC_WORKER_GROWTH_H
#define MC_WORKER_GROWTH_H

#include "protocol/shared_page.h"

#include <lua.h>

/* Zeroed but for the first two. */
typedef struct mc_growth {
  mc_page *page;
  uint32_t slot_count;
  int heap_kb; /* the most that Lua's heap has had */
  uint64_t began_us;
} mc_growth;

/* What has come since the last measure is put down to the page's current attempt, or to nobody. */
void mc_growth_measure(mc_growth *growth);

/* Around a step, while its attempt is current: measures at the end if it may have taken something. */
void mc_growth_begin(mc_growth *growth);
void mc_growth_end(mc_growth *growth, lua_State *L);

#endif

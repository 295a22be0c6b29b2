/* Whose code the worker's memory came with: see growth.h. */
#include "worker/growth.h"

#include "base/clock.h"
#include "worker/page.h"

#include <stdbool.h>
#include <sys/resource.h>

#define SHORT_US 10 /* the kernel hands out some forty fresh pages in that time */

void mc_growth_measure(mc_growth *growth) {
  struct rusage usage;
  if (getrusage(RUSAGE_THREAD, &usage) == 0) /* cheaper than RUSAGE_SELF; ru_maxrss is the process's in both */
    mc_page_set_peak(growth->page, growth->slot_count, (uint64_t)usage.ru_maxrss * 1024);
}

void mc_growth_begin(mc_growth *growth) {
  growth->began_us = mc_clock_mono_us();
}

static bool heap_rose(mc_growth *growth, lua_State *L) {
  int heap_kb = lua_gc(L, LUA_GCCOUNT, 0);
  if (heap_kb <= growth->heap_kb)
    return false;
  growth->heap_kb = heap_kb;
  return true;
}

void mc_growth_end(mc_growth *growth, lua_State *L) {
  bool rose = heap_rose(growth, L);
  if (rose || mc_clock_mono_us() - growth->began_us >= SHORT_US)
    mc_growth_measure(growth);
}

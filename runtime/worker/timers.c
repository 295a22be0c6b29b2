/* Timers of Lua code: see timers.h. */
#include "worker/timers.h"

#include "base/mem.h"

#include <lauxlib.h>
#include <math.h>

#define MAX_MS 1e15 /* thirty thousand years: what a double and libuv both hold */

struct mc_timer {
  uv_timer_t handle;
  mc_timers *owner;
  mc_timer *next_idle;
  uint32_t index;
  uint32_t uses; /* tells the timers apart that had this place one after the other */
  int reference; /* LUA_NOREF while idle */
};

/* Index and uses in one number that a double holds exactly: 2^21 timers at a time, 2^32 uses of each. */
#define INDEX_BITS 21

static uint64_t number_of(const mc_timer *timer) {
  return (uint64_t)timer->uses << INDEX_BITS | timer->index;
}

static mc_timer *timer_new(mc_timers *timers) {
  if (timers->count == timers->room) {
    timers->room = timers->room ? timers->room * 2 : 64;
    timers->all = mc_realloc(timers->all, timers->room * sizeof(mc_timer *));
  }
  mc_timer *timer = mc_zalloc(sizeof *timer);
  timer->owner = timers;
  timer->index = timers->count;
  uv_timer_init(timers->loop, &timer->handle);
  timers->all[timers->count++] = timer;
  return timer;
}

static mc_timer *timer_take(mc_timers *timers) {
  mc_timer *timer = timers->idle;
  if (!timer)
    return timer_new(timers);
  timers->idle = timer->next_idle;
  return timer;
}

/* Puts it among the idle ones and gives its reference to the caller. */
static int timer_release(mc_timer *timer) {
  int reference = timer->reference;
  timer->reference = LUA_NOREF;
  timer->next_idle = timer->owner->idle;
  timer->owner->idle = timer;
  return reference;
}

static void on_timer(uv_timer_t *handle) {
  mc_timer *timer = mc_container_of(handle, mc_timer, handle);
  mc_vm *vm = timer->owner->vm;
  int reference = timer_release(timer);
  mc_vm_call_back(vm, reference);
  luaL_unref(vm->L, LUA_REGISTRYINDEX, reference);
}

/* The loop counts whole milliseconds and may be up to one ahead of the clock, hence one more: never early. */
static uint64_t delay_ms(double seconds) {
  if (!(seconds > 0))
    return 0;
  return (uint64_t)fmin(ceil(seconds * 1000), MAX_MS) + 1;
}

uint64_t mc_timers_start(mc_timers *timers, double seconds, int reference) {
  mc_timer *timer = timer_take(timers);
  timer->reference = reference;
  timer->uses++;
  uv_update_time(timers->loop); /* a handler may have computed for long since the turn began */
  uv_timer_start(&timer->handle, on_timer, delay_ms(seconds), 0);
  return number_of(timer);
}

void mc_timers_stop(mc_timers *timers, uint64_t number) {
  uint64_t index = number & ((1u << INDEX_BITS) - 1);
  mc_timer *timer = index < timers->count ? timers->all[index] : NULL;
  if (!timer || timer->reference == LUA_NOREF || number_of(timer) != number)
    return;
  uv_timer_stop(&timer->handle);
  luaL_unref(timers->vm->L, LUA_REGISTRYINDEX, timer_release(timer));
}

/* Timers of Lua code: see timers.h. */
#include "worker/timers.h"

#include "base/mem.h"

#include <lauxlib.h>
#include <math.h>
#include <stdlib.h>

#define MAX_MS 1e15 /* thirty thousand years: what a double and libuv both hold */

struct mc_timer {
  uv_timer_t handle;
  mc_timers *owner;
  mc_timer *next_idle;
  uint32_t index; /* of its place */
  int reference;  /* LUA_NOREF while idle */
};

/* Index and uses in one number that a double holds exactly: 2^21 timers at a time, 2^32 uses of each. */
#define INDEX_BITS 21

static mc_timer_place *place_of(const mc_timer *timer) {
  return &timer->owner->places[timer->index];
}

static uint64_t number_of(const mc_timer *timer) {
  return (uint64_t)place_of(timer)->uses << INDEX_BITS | timer->index;
}

/* The index of a place without a timer. */
static uint32_t take_place(mc_timers *timers) {
  if (timers->vacant) {
    uint32_t index = timers->vacant - 1;
    timers->vacant = timers->places[index].next_vacant;
    return index;
  }
  if (timers->count == timers->room) {
    timers->room = timers->room ? timers->room * 2 : 64;
    timers->places = mc_realloc(timers->places, timers->room * sizeof *timers->places);
  }
  timers->places[timers->count] = (mc_timer_place){0};
  return timers->count++;
}

static mc_timer *timer_new(mc_timers *timers) {
  mc_timer *timer = mc_zalloc(sizeof *timer);
  timer->owner = timers;
  timer->index = take_place(timers);
  uv_timer_init(timers->loop, &timer->handle);
  place_of(timer)->timer = timer;
  return timer;
}

static void on_closed(uv_handle_t *handle) {
  free(mc_container_of(handle, mc_timer, handle));
}

/* Its place is vacant at once, its memory goes later. */
static void timer_close(mc_timer *timer) {
  mc_timers *timers = timer->owner;
  mc_timer_place *place = place_of(timer);
  place->timer = NULL;
  place->next_vacant = timers->vacant;
  timers->vacant = timer->index + 1;
  uv_close((uv_handle_t *)&timer->handle, on_closed);
}

static mc_timer *timer_take(mc_timers *timers) {
  mc_timer *timer = timers->idle;
  if (!timer)
    return timer_new(timers);
  timers->idle = timer->next_idle;
  timers->idle_count--;
  return timer;
}

/* Puts it among the idle ones, or closes it where there are enough, and gives its reference to the caller. */
static int timer_release(mc_timer *timer) {
  mc_timers *timers = timer->owner;
  int reference = timer->reference;
  timer->reference = LUA_NOREF;
  if (timers->idle_count == MC_TIMERS_IDLE_MAX) {
    timer_close(timer);
    return reference;
  }
  timer->next_idle = timers->idle;
  timers->idle = timer;
  timers->idle_count++;
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
  place_of(timer)->uses++;
  uv_update_time(timers->loop); /* a handler may have computed for long since the turn began */
  uv_timer_start(&timer->handle, on_timer, delay_ms(seconds), 0);
  return number_of(timer);
}

void mc_timers_stop(mc_timers *timers, uint64_t number) {
  uint64_t index = number & ((1u << INDEX_BITS) - 1);
  mc_timer *timer = index < timers->count ? timers->places[index].timer : NULL;
  if (!timer || timer->reference == LUA_NOREF || number_of(timer) != number)
    return;
  uv_timer_stop(&timer->handle);
  luaL_unref(timers->vm->L, LUA_REGISTRYINDEX, timer_release(timer));
}

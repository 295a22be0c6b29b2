/* The Lua module mooncrew.native_worker: what the Lua half of a worker (lua/mooncrew/worker.lua) can ask of C.
 *
 *   task_park(slot)                                the task begins to wait
 *   task_ready(slot)                               its wait is over: worker.step(slot) is to be called
 *   task_stopped(slot) → why                       "CANCELLED" or "TIMED_OUT" when it should stop, else nil
 *   task_failed(slot, text)                        it has failed by this; what hears of it next is not our code
 *   task_finish(slot, outcome, text, trace, delay) it ended; outcome "DONE", "FAILED" …, delay in seconds, the last
 *                                                  three may be nil
 *   fold_finish(slot, type, payload, options)      a fold ended: the new task, options as for enqueue_send
 *   fold_unfit(slot, places)                       it did not begin: the payloads at these places do not fit
 *   timer_start(seconds, callback) → timer         calls back once, never early
 *   timer_stop(timer)                              harmless when it has ended
 *   enqueue_send(slot, type, payload, options) → request    options as mooncrew.options.normalize makes them; slot nil:
 *                                                  a hook of the worker asks
 *   loading(file, line)                            what is being loaded: which of sources.paths(), and the line (0: not
 *                                                  known); 0, 0 when nothing is
 *   load_end(manifest, message)                    worker.load has ended; manifest is nil when it failed
 *   close_end()                                    worker.close has ended; does not return
 *   log_begin(level, event) → whether it is wanted; then log_text(key, text), log_json(key, json) …, log_end()
 *   clock_wall(), clock_monotonic()                seconds
 *   handles() → count                              open handles of the worker's loop: what waits must leave none behind
 *
 * A slot that holds no task is an error, never a crash.
 */
#ifndef MC_WORKER_BINDINGS_H
#define MC_WORKER_BINDINGS_H

#include "worker/tasks.h"
#include "worker/timers.h"

#include <lauxlib.h>

typedef struct mc_bindings {
  mc_tasks *tasks;
  mc_timers *timers;
  void (*on_load_end)(void *arg, lua_State *L); /* the arguments of load_end are on the stack, from 1 */
  void (*on_close_end)(void *arg);
  void *arg;
} mc_bindings;

/* Its first upvalue is the mc_bindings, a light userdata. */
int luaopen_mooncrew_native_worker(lua_State *L);

/* For modules like it. Leaves a table with these functions on the stack, whose first upvalue is that of the running
 * one. */
void mc_bindings_register(lua_State *L, const luaL_Reg *list, size_t count);

/* The slot of a task, as argument 1. Raises when none is in it. */
uint32_t mc_bindings_check_slot(lua_State *L, const mc_tasks *tasks);

/* Fills in what a table of options (as mooncrew.options.normalize makes them) gives. Raises on a wrong type. What it
 * leaves on the stack, and the table, must stay as long as *out is used. */
void mc_bindings_read_options(lua_State *L, int table, mc_enqueue_options *out);

#endif

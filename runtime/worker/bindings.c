/* mooncrew.native_worker: see bindings.h. */
#include "worker/bindings.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "worker/page.h"

#include <lauxlib.h>
#include <math.h>

static mc_bindings *bindings_of(lua_State *L) {
  return lua_touserdata(L, lua_upvalueindex(1));
}

uint32_t mc_bindings_check_slot(lua_State *L, const mc_tasks *tasks) {
  lua_Integer slot = luaL_checkinteger(L, 1);
  bool held = slot >= 0 && slot <= UINT32_MAX && mc_tasks_has(tasks, (uint32_t)slot);
  luaL_argcheck(L, held, 1, "no task is in this slot");
  return (uint32_t)slot;
}

/* A string argument that may be nil (an empty slice). */
static mc_slice opt_slice(lua_State *L, int index) {
  size_t size = 0;
  const char *text = luaL_optlstring(L, index, "", &size);
  return (mc_slice){text, size};
}

/* ---- tasks ---- */

static int task_park(lua_State *L) {
  mc_tasks *tasks = bindings_of(L)->tasks;
  mc_tasks_park(tasks, mc_bindings_check_slot(L, tasks));
  return 0;
}

static int task_ready(lua_State *L) {
  mc_tasks *tasks = bindings_of(L)->tasks;
  mc_tasks_ready(tasks, mc_bindings_check_slot(L, tasks));
  return 0;
}

static int task_stopped(lua_State *L) {
  mc_tasks *tasks = bindings_of(L)->tasks;
  lua_pushstring(L, mc_tasks_stopped(tasks, mc_bindings_check_slot(L, tasks))); /* NULL becomes nil */
  return 1;
}

/* In the order of mc_outcome, which begins at 1. What is not started never reaches Lua. */
static const char *const outcome_names[] = {"DONE",    "FAILED",  "TIMED_OUT", "CANCELLED", "SKIP_RETRY",
                                            "INVALID", "REVOKED", "SNOOZED",   "RETRY_IN",  NULL};
_Static_assert(MC_COUNT(outcome_names) == MC_OUTCOME_RETRY_IN + 1, "a name for each outcome");

static int64_t opt_delay_ms(lua_State *L, int index) {
  if (lua_isnoneornil(L, index))
    return -1;
  double ms = ceil(luaL_checknumber(L, index) * 1000);
  return ms >= 0 && ms < 1e15 ? (int64_t)ms : -1;
}

#define REASON_MAX 65536 /* bytes of an error's text, and of its trace: the supervisor keeps less */

static mc_slice opt_reason(lua_State *L, int index) {
  mc_slice text = opt_slice(L, index);
  return (mc_slice){text.data, text.size < REASON_MAX ? text.size : REASON_MAX};
}

static int task_finish(lua_State *L) {
  mc_tasks *tasks = bindings_of(L)->tasks;
  uint32_t slot = mc_bindings_check_slot(L, tasks);
  mc_outcome outcome = (mc_outcome)(MC_OUTCOME_DONE + luaL_checkoption(L, 2, NULL, outcome_names));
  mc_frame_result result = {
      .outcome = outcome,
      .has_result = outcome == MC_OUTCOME_DONE && !lua_isnoneornil(L, 3),
      .text = outcome == MC_OUTCOME_DONE ? opt_slice(L, 3) : opt_reason(L, 3),
      .trace = opt_reason(L, 4),
      .delay_ms = opt_delay_ms(L, 5),
  };
  mc_tasks_finish(tasks, slot, &result);
  return 0;
}

static int task_failed(lua_State *L) {
  mc_tasks *tasks = bindings_of(L)->tasks;
  mc_tasks_failed(tasks, mc_bindings_check_slot(L, tasks), opt_slice(L, 2));
  return 0;
}

#define PROGRESS_TEXT_MAX 4096 /* bytes; of more the supervisor would keep nothing */

static int task_progress(lua_State *L) {
  mc_tasks *tasks = bindings_of(L)->tasks;
  uint32_t slot = mc_bindings_check_slot(L, tasks);
  mc_frame_progress progress = {
      .fraction = luaL_checknumber(L, 2),
      .at_ms = (int64_t)(luaL_checknumber(L, 3) * 1000),
      .has_text = !lua_isnoneornil(L, 4),
      .text = opt_slice(L, 4),
  };
  luaL_argcheck(L, progress.fraction >= 0 && progress.fraction <= 1, 2, "a number from 0 to 1 is wanted");
  if (progress.text.size > PROGRESS_TEXT_MAX)
    progress.text.size = PROGRESS_TEXT_MAX;
  mc_tasks_progress(tasks, slot, &progress);
  return 0;
}

/* ---- timers and clocks ---- */

static int timer_start(lua_State *L) {
  mc_timers *timers = bindings_of(L)->timers;
  double seconds = luaL_checknumber(L, 1);
  luaL_checktype(L, 2, LUA_TFUNCTION);
  lua_settop(L, 2);
  lua_pushnumber(L, (lua_Number)mc_timers_start(timers, seconds, luaL_ref(L, LUA_REGISTRYINDEX)));
  return 1;
}

static int timer_stop(lua_State *L) {
  double number = luaL_checknumber(L, 1);
  if (number >= 0 && number < 0x1p63)
    mc_timers_stop(bindings_of(L)->timers, (uint64_t)number);
  return 0;
}

static int clock_wall(lua_State *L) {
  lua_pushnumber(L, (lua_Number)mc_clock_wall_ms() / 1000);
  return 1;
}

static int clock_monotonic(lua_State *L) {
  lua_pushnumber(L, (lua_Number)mc_clock_mono_us() / 1e6);
  return 1;
}

/* ---- enqueue ---- */

#define MAX_EXACT 9007199254740992.0 /* 2^53 */

/* The texts that the slices point into stay on the stack, so that they live until the frame is made. */
static mc_slice option_text(lua_State *L, int table, const char *name, bool *given) {
  size_t size = 0;
  lua_getfield(L, table, name);
  const char *text = lua_isnil(L, -1) ? NULL : luaL_checklstring(L, -1, &size);
  if (given)
    *given = text != NULL;
  return (mc_slice){text, size};
}

static int64_t option_number(lua_State *L, int table, const char *name, int64_t otherwise) {
  lua_getfield(L, table, name);
  if (lua_isnil(L, -1)) {
    lua_pop(L, 1);
    return otherwise;
  }
  double number = luaL_checknumber(L, -1);
  if (!(fabs(number) <= MAX_EXACT))
    luaL_error(L, "%s: the number is out of range", name);
  lua_pop(L, 1);
  return (int64_t)number;
}

static size_t count_pairs(lua_State *L, int table) {
  size_t count = 0;
  for (lua_pushnil(L); lua_next(L, table); lua_pop(L, 1))
    count++;
  return count;
}

/* The headers live in a userdata left on the stack, their texts in the options table. */
static void read_headers(lua_State *L, int table, mc_enqueue_options *out) {
  lua_getfield(L, table, "headers");
  if (lua_isnil(L, -1))
    return;
  luaL_checktype(L, -1, LUA_TTABLE);
  int headers = lua_gettop(L);
  mc_header *array = lua_newuserdata(L, (count_pairs(L, headers) + 1) * sizeof *array);
  size_t count = 0;
  for (lua_pushnil(L); lua_next(L, headers); lua_pop(L, 1)) {
    if (lua_type(L, -2) != LUA_TSTRING || lua_type(L, -1) != LUA_TSTRING)
      luaL_error(L, "headers: names and values must be strings");
    mc_header *header = &array[count++];
    header->name.data = lua_tolstring(L, -2, &header->name.size);
    header->value.data = lua_tolstring(L, -1, &header->value.size);
  }
  out->headers = array;
  out->header_count = count;
}

static void read_options(lua_State *L, int table, mc_enqueue_options *out) {
  luaL_checkstack(L, 16, "enqueue options");
  out->queue = option_text(L, table, "queue", &out->has_queue);
  out->id = option_text(L, table, "task_id", &out->has_id);
  out->group = option_text(L, table, "group", &out->has_group);
  out->max_retry = (int32_t)option_number(L, table, "max_retry", out->max_retry);
  out->timeout_ms = option_number(L, table, "timeout_ms", out->timeout_ms);
  out->deadline_s = option_number(L, table, "deadline_s", out->deadline_s);
  out->unique_ms = option_number(L, table, "unique_ms", out->unique_ms);
  out->process_at_ms = option_number(L, table, "process_at_ms", out->process_at_ms);
  out->retention_ms = option_number(L, table, "retention_ms", out->retention_ms);
  read_headers(L, table, out);
}

/* Arguments 2 to 4: type, payload, options. */
static mc_enqueue_options check_new_task(lua_State *L) {
  mc_enqueue_options options = {0};
  mc_enqueue_options_init(&options);
  options.type.data = luaL_checklstring(L, 2, &options.type.size);
  options.payload.data = luaL_checklstring(L, 3, &options.payload.size);
  luaL_checktype(L, 4, LUA_TTABLE);
  read_options(L, 4, &options);
  return options;
}

static int enqueue_send(lua_State *L) {
  mc_tasks *tasks = bindings_of(L)->tasks;
  uint32_t slot = lua_isnil(L, 1) ? MC_NO_SLOT : mc_bindings_check_slot(L, tasks);
  mc_enqueue_options options = check_new_task(L);
  lua_pushnumber(L, (lua_Number)mc_tasks_enqueue(tasks, slot, &options));
  return 1;
}

/* ---- folds ---- */

static int fold_finish(lua_State *L) {
  mc_tasks *tasks = bindings_of(L)->tasks;
  uint32_t slot = mc_bindings_check_slot(L, tasks);
  mc_frame_folded folded = {.options = check_new_task(L)};
  mc_tasks_folded(tasks, slot, &folded);
  return 0;
}

/* Lua counts from 1, the frame from 0. */
static int fold_unfit(lua_State *L) {
  mc_tasks *tasks = bindings_of(L)->tasks;
  uint32_t slot = mc_bindings_check_slot(L, tasks);
  luaL_checktype(L, 2, LUA_TTABLE);
  size_t count = lua_objlen(L, 2);
  uint64_t *places = lua_newuserdata(L, (count + 1) * sizeof *places);
  for (size_t i = 0; i < count; i++) {
    lua_rawgeti(L, 2, (int)i + 1);
    places[i] = (uint64_t)luaL_checkinteger(L, -1) - 1;
    lua_pop(L, 1);
  }
  mc_frame_folded folded = {.unfit = places, .unfit_count = count};
  mc_tasks_folded(tasks, slot, &folded);
  return 0;
}

/* ---- begin and end of the worker ---- */

static int load_end(lua_State *L) {
  mc_bindings *bindings = bindings_of(L);
  lua_settop(L, 2);
  bindings->on_load_end(bindings->arg, L);
  return 0;
}

static int close_end(lua_State *L) {
  mc_bindings *bindings = bindings_of(L);
  bindings->on_close_end(bindings->arg);
  return 0;
}

/* ---- the loop ---- */

static void count_open(uv_handle_t *handle, void *count) {
  *(lua_Integer *)count += !uv_is_closing(handle);
}

static int handles(lua_State *L) {
  lua_Integer count = 0;
  uv_walk(bindings_of(L)->tasks->loop, count_open, &count);
  lua_pushinteger(L, count);
  return 1;
}

/* ---- log lines ---- */

static int log_begin(lua_State *L) {
  static const char *const names[] = {"debug", "info", "warn", "error", NULL}; /* as mc_log_level */
  mc_log_level level = (mc_log_level)luaL_checkoption(L, 1, NULL, names);
  mc_log_begin(level, luaL_checkstring(L, 2));
  mc_log_int("worker", bindings_of(L)->tasks->vm->worker);
  lua_pushboolean(L, mc_log_enabled(level));
  return 1;
}

static int log_text(lua_State *L) {
  mc_log_slice(luaL_checkstring(L, 1), opt_slice(L, 2));
  return 0;
}

static int log_json(lua_State *L) {
  mc_log_json(luaL_checkstring(L, 1), opt_slice(L, 2));
  return 0;
}

/* A handler's lines are written at once: they tell most when the next thing it does kills the process. */
static int log_end(lua_State *L) {
  (void)L;
  mc_log_end();
  mc_log_flush();
  return 0;
}

void mc_bindings_read_options(lua_State *L, int table, mc_enqueue_options *out) {
  read_options(L, table, out);
}

static int loading(lua_State *L) {
  lua_Integer file = luaL_checkinteger(L, 1), line = luaL_checkinteger(L, 2);
  mc_page_set_loading(bindings_of(L)->tasks->page, (uint32_t)file, (uint32_t)line);
  return 0;
}

static const luaL_Reg functions[] = {
    {"task_park", task_park},       {"task_ready", task_ready},       {"task_failed", task_failed},
    {"task_finish", task_finish},   {"timer_start", timer_start},     {"timer_stop", timer_stop},
    {"enqueue_send", enqueue_send}, {"clock_wall", clock_wall},       {"clock_monotonic", clock_monotonic},
    {"log_begin", log_begin},       {"log_text", log_text},           {"log_json", log_json},
    {"log_end", log_end},           {"fold_finish", fold_finish},     {"fold_unfit", fold_unfit},
    {"handles", handles},           {"task_stopped", task_stopped},   {"load_end", load_end},
    {"close_end", close_end},       {"task_progress", task_progress}, {"loading", loading},
};

void mc_bindings_register(lua_State *L, const luaL_Reg *list, size_t count) {
  mc_bindings *bindings = bindings_of(L);
  lua_createtable(L, 0, (int)count);
  for (size_t i = 0; i < count; i++) {
    lua_pushlightuserdata(L, bindings);
    lua_pushcclosure(L, list[i].func, 1);
    lua_setfield(L, -2, list[i].name);
  }
}

int luaopen_mooncrew_native_worker(lua_State *L) {
  mc_bindings_register(L, functions, MC_COUNT(functions));
  return 1;
}

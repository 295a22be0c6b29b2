/* Looking and changing from Lua: see lua_inspect.h.
 *
 * Lua errors leave C functions by longjmp, so the memory of an answer hangs on a userdata with a __gc until all of it
 * is pushed.
 */
#include "client/lua_inspect.h"

#include "client/inspect.h"
#include "client/lua_client.h"
#include "client/memory.h"

#include "base/mem.h"

#include <lauxlib.h>

#define MEMORY_TYPE "mooncrew.native_client.memory"

/* ---- what answers are made of ---- */

/* On the stack from now on. */
static mc_memory **memory_new(lua_State *L) {
  mc_memory **slot = lua_newuserdata(L, sizeof *slot);
  *slot = NULL;
  luaL_getmetatable(L, MEMORY_TYPE);
  lua_setmetatable(L, -2);
  return slot;
}

static void memory_release(mc_memory **slot) {
  mc_memory_free(*slot);
  *slot = NULL;
}

static int memory_gc(lua_State *L) {
  memory_release(luaL_checkudata(L, 1, MEMORY_TYPE));
  return 0;
}

static mc_slice slice_at(lua_State *L, int index) {
  mc_slice text;
  text.data = luaL_checklstring(L, index, &text.size);
  return text;
}

static void set_text(lua_State *L, const char *name, const char *text) {
  if (!text)
    return;
  lua_pushstring(L, text);
  lua_setfield(L, -2, name);
}

static void set_bytes(lua_State *L, const char *name, const void *bytes, size_t size) {
  lua_pushlstring(L, bytes ? bytes : "", bytes ? size : 0);
  lua_setfield(L, -2, name);
}

static void set_number(lua_State *L, const char *name, double value) {
  lua_pushnumber(L, value);
  lua_setfield(L, -2, name);
}

/* 0 means none, and is left out. */
static void set_given(lua_State *L, const char *name, int64_t value) {
  if (value)
    set_number(L, name, (double)value);
}

static void set_time(lua_State *L, const char *name, int64_t ns) {
  if (ns)
    set_number(L, name, (double)ns / 1e9);
}

static void set_flag(lua_State *L, const char *name, int value) {
  lua_pushboolean(L, value);
  lua_setfield(L, -2, name);
}

/* One push function per kind of item: it leaves a table on the stack. */
typedef void (*push_fn)(lua_State *L, const void *items, size_t i);

static void push_list(lua_State *L, push_fn push, const void *items, size_t count) {
  lua_createtable(L, (int)count, 0);
  for (size_t i = 0; i < count; i++) {
    push(L, items, i);
    lua_rawseti(L, -2, (int)i + 1);
  }
}

/* The list as the function's result; its memory is given back. */
static int answer(lua_State *L, mc_memory **slot, mc_memory *memory, push_fn push, const void *items, size_t count) {
  *slot = memory;
  push_list(L, push, items, count);
  memory_release(slot);
  return 1;
}

/* ---- queues ---- */

static const struct number_field {
  const char *name;
  size_t offset;
} queue_fields[] = {
    {"size", offsetof(mooncrew_queue_info, size)},
    {"pending", offsetof(mooncrew_queue_info, pending)},
    {"active", offsetof(mooncrew_queue_info, active)},
    {"scheduled", offsetof(mooncrew_queue_info, scheduled)},
    {"retry", offsetof(mooncrew_queue_info, retry)},
    {"archived", offsetof(mooncrew_queue_info, archived)},
    {"completed", offsetof(mooncrew_queue_info, completed)},
    {"aggregating", offsetof(mooncrew_queue_info, aggregating)},
    {"groups", offsetof(mooncrew_queue_info, groups)},
    {"latency_ms", offsetof(mooncrew_queue_info, latency_ms)},
    {"memory_bytes", offsetof(mooncrew_queue_info, memory_bytes)},
    {"processed_today", offsetof(mooncrew_queue_info, processed_today)},
    {"failed_today", offsetof(mooncrew_queue_info, failed_today)},
    {"processed", offsetof(mooncrew_queue_info, processed)},
    {"failed", offsetof(mooncrew_queue_info, failed)},
};

static void push_queue(lua_State *L, const void *items, size_t i) {
  const mooncrew_queue_info *queue = (const mooncrew_queue_info *)items + i;
  lua_createtable(L, 0, MC_COUNT(queue_fields) + 2);
  set_text(L, "name", queue->name);
  set_flag(L, "paused", queue->paused);
  for (size_t k = 0; k < MC_COUNT(queue_fields); k++)
    set_number(L, queue_fields[k].name, (double)*(const int64_t *)((const char *)queue + queue_fields[k].offset));
}

static int client_queues(lua_State *L) {
  mc_client *client = mc_lua_client_check(L);
  mc_memory **memory = memory_new(L);
  mooncrew_queue_list list;
  mc_err err;
  int code = mc_inspect_queues(client, &list, &err);
  if (code)
    return mc_lua_fail(L, code, err.text);
  return answer(L, memory, list.memory, push_queue, list.items, list.count);
}

static int client_queue(lua_State *L) {
  mc_client *client = mc_lua_client_check(L);
  mc_memory **memory = memory_new(L);
  mooncrew_queue_list list;
  mc_err err;
  int code = mc_inspect_queue(client, slice_at(L, 2), &list, &err);
  if (code)
    return mc_lua_fail(L, code, err.text);
  *memory = list.memory;
  push_queue(L, list.items, 0);
  memory_release(memory);
  return 1;
}

static void push_day(lua_State *L, const void *items, size_t i) {
  const mooncrew_day *day = (const mooncrew_day *)items + i;
  lua_createtable(L, 0, 3);
  set_text(L, "date", day->date);
  set_number(L, "processed", (double)day->processed);
  set_number(L, "failed", (double)day->failed);
}

/* A whole number of Lua that C takes as an int; what does not fit becomes 0, which C refuses. */
static int int_at(lua_State *L, int index) {
  lua_Number number = luaL_checknumber(L, index);
  return number >= 1 && number <= INT32_MAX && number == (int)number ? (int)number : 0;
}

static int client_history(lua_State *L) {
  mc_client *client = mc_lua_client_check(L);
  mc_memory **memory = memory_new(L);
  mooncrew_day_list list;
  mc_err err;
  int code = mc_inspect_history(client, slice_at(L, 2), int_at(L, 3), &list, &err);
  if (code)
    return mc_lua_fail(L, code, err.text);
  return answer(L, memory, list.memory, push_day, list.items, list.count);
}

static void push_group(lua_State *L, const void *items, size_t i) {
  const mooncrew_group_info *group = (const mooncrew_group_info *)items + i;
  lua_createtable(L, 0, 2);
  set_text(L, "name", group->name);
  set_number(L, "size", (double)group->size);
}

static int client_groups(lua_State *L) {
  mc_client *client = mc_lua_client_check(L);
  mc_memory **memory = memory_new(L);
  mooncrew_group_list list;
  mc_err err;
  int code = mc_inspect_groups(client, slice_at(L, 2), &list, &err);
  if (code)
    return mc_lua_fail(L, code, err.text);
  return answer(L, memory, list.memory, push_group, list.items, list.count);
}

/* nil, message, code, or true. */
static int finish_order(lua_State *L, int code, const mc_err *err) {
  if (code)
    return mc_lua_fail(L, code, err->text);
  lua_pushboolean(L, 1);
  return 1;
}

static int client_pause(lua_State *L) {
  mc_err err;
  return finish_order(L, mc_pause_queue(mc_lua_client_check(L), slice_at(L, 2), &err), &err);
}

static int client_unpause(lua_State *L) {
  mc_err err;
  return finish_order(L, mc_unpause_queue(mc_lua_client_check(L), slice_at(L, 2), &err), &err);
}

/* ---- tasks ---- */

static void set_headers(lua_State *L, const char *name, const mooncrew_header *headers, size_t count) {
  lua_createtable(L, 0, (int)count);
  for (size_t i = 0; i < count; i++)
    set_text(L, headers[i].name, headers[i].value);
  lua_setfield(L, -2, name);
}

static void set_message(lua_State *L, const mooncrew_task_info *task) {
  set_text(L, "type", task->type);
  set_bytes(L, "payload", task->payload, task->payload_size);
  set_number(L, "max_retry", task->max_retry);
  set_number(L, "retried", task->retried);
  set_text(L, "last_error", task->last_error);
  set_given(L, "last_failed_at", task->last_failed_at_s);
  set_given(L, "timeout", task->timeout_s);
  set_given(L, "deadline", task->deadline_s);
  set_text(L, "unique_key", task->unique_key);
  set_given(L, "retention", task->retention_s);
  set_given(L, "completed_at", task->completed_at_s);
  set_text(L, "group", task->group);
  set_headers(L, "headers", task->headers, task->header_count);
}

static void push_task(lua_State *L, const void *items, size_t i) {
  const mooncrew_task_info *task = (const mooncrew_task_info *)items + i;
  lua_createtable(L, 0, 26);
  set_text(L, "id", task->id);
  set_text(L, "queue", task->queue);
  set_text(L, "state", task->state);
  set_text(L, "problem", task->problem);
  if (task->type)
    set_message(L, task);
  if (task->result)
    set_bytes(L, "result", task->result, task->result_size);
  set_given(L, "next_process_at", task->next_process_at_s);
  set_time(L, "pending_since", task->pending_since_ns);
  set_given(L, "archived_at", task->archived_at_s);
  set_given(L, "expires_at", task->expires_at_s);
  set_given(L, "lease_expires_at", task->lease_expires_s);
  if (strcmp(task->state, mc_state_name(MC_TASK_ACTIVE)) == 0)
    set_flag(L, "orphaned", task->orphaned);
  set_text(L, "last_crash", task->last_crash);
  set_given(L, "last_crash_at", task->last_crash_at_s);
  set_headers(L, "extra", task->extra, task->extra_count);
}

/* A text in the options at index 4; it stays in that table. */
static mc_slice option_text(lua_State *L, const char *name) {
  mc_slice text = {0};
  lua_getfield(L, 4, name);
  if (lua_type(L, -1) == LUA_TSTRING)
    text.data = lua_tolstring(L, -1, &text.size);
  lua_pop(L, 1);
  return text;
}

static int option_int(lua_State *L, const char *name, int fallback) {
  lua_getfield(L, 4, name);
  int value = lua_isnil(L, -1) ? fallback : int_at(L, -1);
  lua_pop(L, 1);
  return value;
}

static int client_tasks(lua_State *L) {
  mc_client *client = mc_lua_client_check(L);
  luaL_checktype(L, 4, LUA_TTABLE);
  const mc_page_request request = {
      .queue = slice_at(L, 2),
      .state = slice_at(L, 3),
      .group = option_text(L, "group"),
      .size = option_int(L, "size", 30),
      .number = option_int(L, "page", 1),
      .after = option_text(L, "after"),
  };
  mc_memory **memory = memory_new(L);
  mooncrew_task_list list;
  mc_err err;
  int code = mc_inspect_tasks(client, &request, &list, &err);
  if (code)
    return mc_lua_fail(L, code, err.text);
  *memory = list.memory;
  lua_createtable(L, 0, 3);
  push_list(L, push_task, list.items, list.count);
  lua_setfield(L, -2, "tasks");
  set_number(L, "total", (double)list.total);
  set_text(L, "next", list.next);
  memory_release(memory);
  return 1;
}

static int client_task(lua_State *L) {
  mc_client *client = mc_lua_client_check(L);
  mc_memory **memory = memory_new(L);
  mooncrew_task_list list;
  mc_err err;
  int code = mc_inspect_task(client, slice_at(L, 2), slice_at(L, 3), &list, &err);
  if (code)
    return mc_lua_fail(L, code, err.text);
  *memory = list.memory;
  push_task(L, list.items, 0);
  memory_release(memory);
  return 1;
}

static int client_wait(lua_State *L) {
  mc_client *client = mc_lua_client_check(L);
  mc_memory **memory = memory_new(L);
  lua_Number timeout_ms = luaL_checknumber(L, 4);
  mooncrew_task_list list;
  mc_err err;
  int64_t whole_ms = timeout_ms >= 0 && timeout_ms < 1e15 ? (int64_t)timeout_ms : -1;
  int code = mc_wait_task(client, slice_at(L, 2), slice_at(L, 3), whole_ms, &list, &err);
  if (code)
    return mc_lua_fail(L, code, err.text);
  *memory = list.memory;
  push_task(L, list.items, 0);
  memory_release(memory);
  return 1;
}

static int client_update_payload(lua_State *L) {
  mc_err err;
  mc_client *client = mc_lua_client_check(L);
  return finish_order(L, mc_update_payload(client, slice_at(L, 2), slice_at(L, 3), slice_at(L, 4), &err), &err);
}

static int client_cancel(lua_State *L) {
  int64_t listeners;
  mc_err err;
  int code = mc_cancel_task(mc_lua_client_check(L), slice_at(L, 2), &listeners, &err);
  if (code)
    return mc_lua_fail(L, code, err.text);
  lua_pushnumber(L, (lua_Number)listeners);
  return 1;
}

/* ---- moving ---- */

static int move_one(lua_State *L, mc_move move) {
  mc_err err;
  mc_client *client = mc_lua_client_check(L);
  return finish_order(L, mc_move_task(client, move, slice_at(L, 2), slice_at(L, 3), &err), &err);
}

static int client_run_task(lua_State *L) {
  return move_one(L, MC_MOVE_RUN);
}

static int client_archive_task(lua_State *L) {
  return move_one(L, MC_MOVE_ARCHIVE);
}

static int client_delete_task(lua_State *L) {
  return move_one(L, MC_MOVE_DELETE);
}

/* The caller's function of progress. While it runs, the client's userdata is empty, so that it can neither use nor
 * close the client. */
struct reporting {
  lua_State *L;
  int function; /* its place on the stack */
  bool failed;  /* its error is on top of the stack */
};

static int on_progress(void *arg, int64_t done, int64_t total) {
  struct reporting *reporting = arg;
  lua_State *L = reporting->L;
  lua_pushvalue(L, reporting->function);
  lua_pushnumber(L, (lua_Number)done);
  lua_pushnumber(L, (lua_Number)total);
  reporting->failed = lua_pcall(L, 2, 0, 0) != 0;
  return reporting->failed;
}

static mc_move_progress progress_of(struct reporting *reporting) {
  bool given = !lua_isnoneornil(reporting->L, reporting->function);
  if (given)
    luaL_checkstack(reporting->L, 8, "progress");
  return (mc_move_progress){given ? on_progress : NULL, reporting};
}

/* The count; or nil, message, code, count; or the error of the progress function. */
static int finish_moves(lua_State *L, const struct reporting *reporting, int code, const mc_err *err, int64_t count) {
  if (reporting->failed)
    return lua_error(L);
  if (code)
    mc_lua_fail(L, code, err->text);
  lua_pushnumber(L, (lua_Number)count);
  return code ? 4 : 1;
}

/* client, queue, state, group, progress */
static int move_all(lua_State *L, mc_move move) {
  mc_client *client = mc_lua_client_check(L), **slot = lua_touserdata(L, 1);
  struct reporting reporting = {L, 5, false};
  int64_t count = 0;
  mc_err err;
  lua_settop(L, 5);
  mc_slice queue = slice_at(L, 2), state = slice_at(L, 3), group = {0};
  if (!lua_isnil(L, 4))
    group = slice_at(L, 4);
  mc_move_progress progress = progress_of(&reporting);
  *slot = NULL;
  int code = mc_move_tasks(client, move, queue, state, group, progress, &count, &err);
  *slot = client;
  return finish_moves(L, &reporting, code, &err, count);
}

static int client_run_tasks(lua_State *L) {
  return move_all(L, MC_MOVE_RUN);
}

static int client_archive_tasks(lua_State *L) {
  return move_all(L, MC_MOVE_ARCHIVE);
}

static int client_delete_tasks(lua_State *L) {
  return move_all(L, MC_MOVE_DELETE);
}

/* client, queue, force, progress */
static int client_remove_queue(lua_State *L) {
  mc_client *client = mc_lua_client_check(L), **slot = lua_touserdata(L, 1);
  struct reporting reporting = {L, 4, false};
  int64_t count = 0;
  mc_err err;
  lua_settop(L, 4);
  mc_slice queue = slice_at(L, 2);
  mc_move_progress progress = progress_of(&reporting);
  *slot = NULL;
  int code = mc_remove_queue(client, queue, lua_toboolean(L, 3), progress, &count, &err);
  *slot = client;
  return finish_moves(L, &reporting, code, &err, count);
}

/* ---- servers and cron ---- */

static void push_worker(lua_State *L, const void *items, size_t i) {
  const mooncrew_worker_info *worker = (const mooncrew_worker_info *)items + i;
  lua_createtable(L, 0, 6);
  set_text(L, "task_id", worker->task_id);
  set_text(L, "type", worker->type);
  set_text(L, "queue", worker->queue);
  set_bytes(L, "payload", worker->payload, worker->payload_size);
  set_time(L, "started_at", worker->started_ns);
  set_time(L, "deadline", worker->deadline_ns);
}

static void push_pool(lua_State *L, const void *items, size_t i) {
  const mooncrew_pool_info *pool = (const mooncrew_pool_info *)items + i;
  lua_createtable(L, 0, 5);
  set_text(L, "name", pool->name);
  set_number(L, "workers", pool->workers);
  set_number(L, "serving", pool->serving);
  set_number(L, "concurrency", pool->concurrency);
  set_number(L, "busy", pool->busy);
}

/* What only servers of mooncrew tell. */
static void set_status(lua_State *L, const mooncrew_server_info *server) {
  if (!server->generation)
    return;
  set_number(L, "generation", (double)server->generation);
  set_time(L, "loaded_at", server->loaded_ns);
  set_number(L, "draining", server->draining);
  set_number(L, "reloads_asked", (double)server->reloads_asked);
  set_number(L, "reloads_answered", (double)server->reloads_answered);
  set_text(L, "reload_error", server->reload_error);
  set_time(L, "refused_at", server->refused_ns);
  push_list(L, push_pool, server->pools, server->pool_count);
  lua_setfield(L, -2, "pools");
  set_text(L, "patterns", server->patterns);
}

static void push_server(lua_State *L, const void *items, size_t i) {
  const mooncrew_server_info *server = (const mooncrew_server_info *)items + i;
  lua_createtable(L, 0, 20);
  set_text(L, "id", server->id);
  set_text(L, "host", server->host);
  set_text(L, "status", server->status);
  set_number(L, "pid", server->pid);
  set_number(L, "concurrency", server->concurrency);
  set_number(L, "active_workers", server->active_workers);
  set_flag(L, "strict", server->strict);
  set_time(L, "started_at", server->started_ns);
  lua_createtable(L, 0, (int)server->queue_count);
  for (size_t k = 0; k < server->queue_count; k++)
    set_number(L, server->queues[k].name, server->queues[k].priority);
  lua_setfield(L, -2, "queues");
  push_list(L, push_worker, server->workers, server->worker_count);
  lua_setfield(L, -2, "workers");
  set_status(L, server);
}

/* servers(without_tasks) */
static int client_servers(lua_State *L) {
  mc_client *client = mc_lua_client_check(L);
  bool with_tasks = !lua_toboolean(L, 2);
  mc_memory **memory = memory_new(L);
  mooncrew_server_list list;
  mc_err err;
  int code = mc_inspect_servers(client, with_tasks, &list, &err);
  if (code)
    return mc_lua_fail(L, code, err.text);
  return answer(L, memory, list.memory, push_server, list.items, list.count);
}

static void push_text(lua_State *L, const void *items, size_t i) {
  lua_pushstring(L, ((const char *const *)items)[i]);
}

static void push_entry(lua_State *L, const void *items, size_t i) {
  const mooncrew_cron_info *entry = (const mooncrew_cron_info *)items + i;
  lua_createtable(L, 0, 8);
  set_text(L, "id", entry->id);
  set_text(L, "spec", entry->spec);
  set_text(L, "type", entry->type);
  set_bytes(L, "payload", entry->payload, entry->payload_size);
  push_list(L, push_text, entry->options, entry->option_count);
  lua_setfield(L, -2, "options");
  set_time(L, "next_at", entry->next_ns);
  set_time(L, "prev_at", entry->prev_ns);
  set_number(L, "schedulers", entry->schedulers);
}

static int client_cron(lua_State *L) {
  mc_client *client = mc_lua_client_check(L);
  mc_memory **memory = memory_new(L);
  mooncrew_cron_list list;
  mc_err err;
  int code = mc_inspect_cron(client, &list, &err);
  if (code)
    return mc_lua_fail(L, code, err.text);
  return answer(L, memory, list.memory, push_entry, list.items, list.count);
}

static void push_event(lua_State *L, const void *items, size_t i) {
  const mooncrew_cron_event *event = (const mooncrew_cron_event *)items + i;
  lua_createtable(L, 0, 2);
  set_text(L, "task_id", event->task_id);
  set_time(L, "at", event->at_ns);
}

static int client_cron_history(lua_State *L) {
  mc_client *client = mc_lua_client_check(L);
  mc_memory **memory = memory_new(L);
  mooncrew_cron_event_list list;
  mc_err err;
  int code = mc_inspect_cron_history(client, slice_at(L, 2), int_at(L, 3), int_at(L, 4), &list, &err);
  if (code)
    return mc_lua_fail(L, code, err.text);
  return answer(L, memory, list.memory, push_event, list.items, list.count);
}

/* ---- the methods ---- */

static const luaL_Reg methods[] = {
    {"queues", client_queues},
    {"queue", client_queue},
    {"history", client_history},
    {"groups", client_groups},
    {"pause", client_pause},
    {"unpause", client_unpause},
    {"remove_queue", client_remove_queue},
    {"tasks", client_tasks},
    {"task", client_task},
    {"wait", client_wait},
    {"update_payload", client_update_payload},
    {"cancel", client_cancel},
    {"run_task", client_run_task},
    {"archive_task", client_archive_task},
    {"delete_task", client_delete_task},
    {"run_tasks", client_run_tasks},
    {"archive_tasks", client_archive_tasks},
    {"delete_tasks", client_delete_tasks},
    {"servers", client_servers},
    {"cron", client_cron},
    {"cron_history", client_cron_history},
    {NULL, NULL},
};

void mc_lua_inspect_open(lua_State *L) {
  luaL_register(L, NULL, methods);
  luaL_newmetatable(L, MEMORY_TYPE);
  lua_pushcfunction(L, memory_gc);
  lua_setfield(L, -2, "__gc");
  lua_pop(L, 1);
}

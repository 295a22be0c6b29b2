/* Tasks, for Lua: see lua_inspect.h. */
#include "client/lua_inspect.h"

#include "client/inspect.h"
#include "client/lua_answer.h"
#include "client/lua_client.h"

static void set_headers(lua_State *L, const char *name, const mooncrew_header *headers, size_t count) {
  lua_createtable(L, 0, (int)count);
  for (size_t i = 0; i < count; i++)
    mc_lua_set_text(L, headers[i].name, headers[i].value);
  lua_setfield(L, -2, name);
}

static void set_message(lua_State *L, const mooncrew_task_info *task) {
  mc_lua_set_text(L, "type", task->type);
  mc_lua_set_bytes(L, "payload", task->payload, task->payload_size);
  mc_lua_set_number(L, "max_retry", task->max_retry);
  mc_lua_set_number(L, "retried", task->retried);
  mc_lua_set_text(L, "last_error", task->last_error);
  mc_lua_set_given(L, "last_failed_at", task->last_failed_at_s);
  mc_lua_set_given(L, "timeout", task->timeout_s);
  mc_lua_set_given(L, "deadline", task->deadline_s);
  mc_lua_set_text(L, "unique_key", task->unique_key);
  mc_lua_set_given(L, "retention", task->retention_s);
  mc_lua_set_given(L, "completed_at", task->completed_at_s);
  mc_lua_set_text(L, "group", task->group);
  set_headers(L, "headers", task->headers, task->header_count);
}

static void push_task(lua_State *L, const void *items, size_t i) {
  const mooncrew_task_info *task = (const mooncrew_task_info *)items + i;
  lua_createtable(L, 0, 26);
  mc_lua_set_text(L, "id", task->id);
  mc_lua_set_text(L, "queue", task->queue);
  mc_lua_set_text(L, "state", task->state);
  mc_lua_set_text(L, "problem", task->problem);
  if (task->type)
    set_message(L, task);
  if (task->result)
    mc_lua_set_bytes(L, "result", task->result, task->result_size);
  mc_lua_set_given(L, "next_process_at", task->next_process_at_s);
  mc_lua_set_time(L, "pending_since", task->pending_since_ns);
  mc_lua_set_given(L, "archived_at", task->archived_at_s);
  mc_lua_set_given(L, "expires_at", task->expires_at_s);
  mc_lua_set_given(L, "lease_expires_at", task->lease_expires_s);
  if (strcmp(task->state, mc_state_name(MC_TASK_ACTIVE)) == 0)
    mc_lua_set_flag(L, "orphaned", task->orphaned);
  mc_lua_set_text(L, "last_crash", task->last_crash);
  mc_lua_set_given(L, "last_crash_at", task->last_crash_at_s);
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
  int value = lua_isnil(L, -1) ? fallback : mc_lua_int_at(L, -1);
  lua_pop(L, 1);
  return value;
}

static int client_tasks(lua_State *L) {
  mc_client *client = mc_lua_client_check(L);
  luaL_checktype(L, 4, LUA_TTABLE);
  const mc_page_request request = {
      .queue = mc_lua_slice_at(L, 2),
      .state = mc_lua_slice_at(L, 3),
      .group = option_text(L, "group"),
      .size = option_int(L, "size", 30),
      .number = option_int(L, "page", 1),
      .after = option_text(L, "after"),
  };
  mc_memory **memory = mc_lua_memory_new(L);
  mooncrew_task_list list;
  mc_err err;
  int code = mc_inspect_tasks(client, &request, &list, &err);
  if (code)
    return mc_lua_fail(L, code, err.text);
  *memory = list.memory;
  lua_createtable(L, 0, 3);
  mc_lua_push_list(L, push_task, list.items, list.count);
  lua_setfield(L, -2, "tasks");
  mc_lua_set_number(L, "total", (double)list.total);
  mc_lua_set_text(L, "next", list.next);
  mc_lua_memory_release(memory);
  return 1;
}

static int client_task(lua_State *L) {
  mc_client *client = mc_lua_client_check(L);
  mc_memory **memory = mc_lua_memory_new(L);
  mooncrew_task_list list;
  mc_err err;
  int code = mc_inspect_task(client, mc_lua_slice_at(L, 2), mc_lua_slice_at(L, 3), &list, &err);
  if (code)
    return mc_lua_fail(L, code, err.text);
  return mc_lua_answer_item(L, memory, list.memory, push_task, list.items);
}

static int client_wait(lua_State *L) {
  mc_client *client = mc_lua_client_check(L);
  mc_memory **memory = mc_lua_memory_new(L);
  lua_Number timeout_ms = luaL_checknumber(L, 4);
  mooncrew_task_list list;
  mc_err err;
  int64_t whole_ms = timeout_ms >= 0 && timeout_ms < 1e15 ? (int64_t)timeout_ms : -1;
  int code = mc_wait_task(client, mc_lua_slice_at(L, 2), mc_lua_slice_at(L, 3), whole_ms, &list, &err);
  if (code)
    return mc_lua_fail(L, code, err.text);
  return mc_lua_answer_item(L, memory, list.memory, push_task, list.items);
}

static int client_update_payload(lua_State *L) {
  mc_err err;
  mc_client *client = mc_lua_client_check(L);
  return mc_lua_answer_order(
      L, mc_update_payload(client, mc_lua_slice_at(L, 2), mc_lua_slice_at(L, 3), mc_lua_slice_at(L, 4), &err), &err);
}

static int client_cancel(lua_State *L) {
  int64_t listeners;
  mc_err err;
  int code = mc_cancel_task(mc_lua_client_check(L), mc_lua_slice_at(L, 2), &listeners, &err);
  if (code)
    return mc_lua_fail(L, code, err.text);
  lua_pushnumber(L, (lua_Number)listeners);
  return 1;
}

const luaL_Reg mc_lua_task_methods[] = {
    {"tasks", client_tasks},   {"task", client_task}, {"wait", client_wait}, {"update_payload", client_update_payload},
    {"cancel", client_cancel}, {NULL, NULL},
};

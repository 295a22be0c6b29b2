/* Queues and their groups, for Lua: see lua_inspect.h. */
#include "client/lua_inspect.h"

#include "base/mem.h"
#include "client/inspect.h"
#include "client/lua_answer.h"
#include "client/lua_client.h"

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
  mc_lua_set_text(L, "name", queue->name);
  mc_lua_set_flag(L, "paused", queue->paused);
  for (size_t k = 0; k < MC_COUNT(queue_fields); k++)
    mc_lua_set_number(L, queue_fields[k].name,
                      (double)*(const int64_t *)((const char *)queue + queue_fields[k].offset));
}

static int client_queues(lua_State *L) {
  mc_client *client = mc_lua_client_check(L);
  mc_memory **memory = mc_lua_memory_new(L);
  mooncrew_queue_list list;
  mc_err err;
  int code = mc_inspect_queues(client, &list, &err);
  if (code)
    return mc_lua_fail(L, code, err.text);
  return mc_lua_answer_list(L, memory, list.memory, push_queue, list.items, list.count);
}

static int client_queue(lua_State *L) {
  mc_client *client = mc_lua_client_check(L);
  mc_memory **memory = mc_lua_memory_new(L);
  mooncrew_queue_list list;
  mc_err err;
  int code = mc_inspect_queue(client, mc_lua_slice_at(L, 2), &list, &err);
  if (code)
    return mc_lua_fail(L, code, err.text);
  return mc_lua_answer_item(L, memory, list.memory, push_queue, list.items);
}

static void push_day(lua_State *L, const void *items, size_t i) {
  const mooncrew_day *day = (const mooncrew_day *)items + i;
  lua_createtable(L, 0, 3);
  mc_lua_set_text(L, "date", day->date);
  mc_lua_set_number(L, "processed", (double)day->processed);
  mc_lua_set_number(L, "failed", (double)day->failed);
}

static int client_history(lua_State *L) {
  mc_client *client = mc_lua_client_check(L);
  mc_memory **memory = mc_lua_memory_new(L);
  mooncrew_day_list list;
  mc_err err;
  int code = mc_inspect_history(client, mc_lua_slice_at(L, 2), mc_lua_int_at(L, 3), &list, &err);
  if (code)
    return mc_lua_fail(L, code, err.text);
  return mc_lua_answer_list(L, memory, list.memory, push_day, list.items, list.count);
}

static void push_group(lua_State *L, const void *items, size_t i) {
  const mooncrew_group_info *group = (const mooncrew_group_info *)items + i;
  lua_createtable(L, 0, 2);
  mc_lua_set_text(L, "name", group->name);
  mc_lua_set_number(L, "size", (double)group->size);
}

static int client_groups(lua_State *L) {
  mc_client *client = mc_lua_client_check(L);
  mc_memory **memory = mc_lua_memory_new(L);
  mooncrew_group_list list;
  mc_err err;
  int code = mc_inspect_groups(client, mc_lua_slice_at(L, 2), &list, &err);
  if (code)
    return mc_lua_fail(L, code, err.text);
  return mc_lua_answer_list(L, memory, list.memory, push_group, list.items, list.count);
}

static int client_pause(lua_State *L) {
  mc_err err;
  return mc_lua_answer_order(L, mc_pause_queue(mc_lua_client_check(L), mc_lua_slice_at(L, 2), &err), &err);
}

static int client_unpause(lua_State *L) {
  mc_err err;
  return mc_lua_answer_order(L, mc_unpause_queue(mc_lua_client_check(L), mc_lua_slice_at(L, 2), &err), &err);
}

const luaL_Reg mc_lua_queue_methods[] = {
    {"queues", client_queues},
    {"queue", client_queue},
    {"history", client_history},
    {"groups", client_groups},
    {"pause", client_pause},
    {"unpause", client_unpause},
    {NULL, NULL},
};

/* Cron entries, for Lua: see lua_inspect.h. */
#include "client/lua_inspect.h"

#include "client/inspect.h"
#include "client/lua_answer.h"
#include "client/lua_client.h"

static void push_text(lua_State *L, const void *items, size_t i) {
  lua_pushstring(L, ((const char *const *)items)[i]);
}

static void push_entry(lua_State *L, const void *items, size_t i) {
  const mooncrew_cron_info *entry = (const mooncrew_cron_info *)items + i;
  lua_createtable(L, 0, 8);
  mc_lua_set_text(L, "id", entry->id);
  mc_lua_set_text(L, "spec", entry->spec);
  mc_lua_set_text(L, "type", entry->type);
  mc_lua_set_bytes(L, "payload", entry->payload, entry->payload_size);
  mc_lua_push_list(L, push_text, entry->options, entry->option_count);
  lua_setfield(L, -2, "options");
  mc_lua_set_time(L, "next_at", entry->next_ns);
  mc_lua_set_time(L, "prev_at", entry->prev_ns);
  mc_lua_set_number(L, "schedulers", entry->schedulers);
}

static int client_cron(lua_State *L) {
  mc_client *client = mc_lua_client_check(L);
  mc_memory **memory = mc_lua_memory_new(L);
  mooncrew_cron_list list;
  mc_err err;
  int code = mc_inspect_cron(client, &list, &err);
  if (code)
    return mc_lua_fail(L, code, err.text);
  return mc_lua_answer_list(L, memory, list.memory, push_entry, list.items, list.count);
}

static void push_event(lua_State *L, const void *items, size_t i) {
  const mooncrew_cron_event *event = (const mooncrew_cron_event *)items + i;
  lua_createtable(L, 0, 2);
  mc_lua_set_text(L, "task_id", event->task_id);
  mc_lua_set_time(L, "at", event->at_ns);
}

static int client_cron_history(lua_State *L) {
  mc_client *client = mc_lua_client_check(L);
  mc_memory **memory = mc_lua_memory_new(L);
  mooncrew_cron_event_list list;
  mc_err err;
  int code =
      mc_inspect_cron_history(client, mc_lua_slice_at(L, 2), mc_lua_int_at(L, 3), mc_lua_int_at(L, 4), &list, &err);
  if (code)
    return mc_lua_fail(L, code, err.text);
  return mc_lua_answer_list(L, memory, list.memory, push_event, list.items, list.count);
}

const luaL_Reg mc_lua_cron_methods[] = {
    {"cron", client_cron},
    {"cron_history", client_cron_history},
    {NULL, NULL},
};

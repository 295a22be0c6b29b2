/* Servers, for Lua: see lua_inspect.h. */
#include "client/lua_inspect.h"

#include "client/inspect.h"
#include "client/lua_answer.h"
#include "client/lua_client.h"

static void push_worker(lua_State *L, const void *items, size_t i) {
  const mooncrew_worker_info *worker = (const mooncrew_worker_info *)items + i;
  lua_createtable(L, 0, 6);
  mc_lua_set_text(L, "task_id", worker->task_id);
  mc_lua_set_text(L, "type", worker->type);
  mc_lua_set_text(L, "queue", worker->queue);
  mc_lua_set_bytes(L, "payload", worker->payload, worker->payload_size);
  mc_lua_set_time(L, "started_at", worker->started_ns);
  mc_lua_set_time(L, "deadline", worker->deadline_ns);
}

static void push_pool(lua_State *L, const void *items, size_t i) {
  const mooncrew_pool_info *pool = (const mooncrew_pool_info *)items + i;
  lua_createtable(L, 0, 5);
  mc_lua_set_text(L, "name", pool->name);
  mc_lua_set_number(L, "workers", pool->workers);
  mc_lua_set_number(L, "serving", pool->serving);
  mc_lua_set_number(L, "concurrency", pool->concurrency);
  mc_lua_set_number(L, "busy", pool->busy);
}

/* What only servers of mooncrew tell. */
static void set_status(lua_State *L, const mooncrew_server_info *server) {
  if (!server->generation)
    return;
  mc_lua_set_number(L, "generation", (double)server->generation);
  mc_lua_set_time(L, "loaded_at", server->loaded_ns);
  mc_lua_set_number(L, "draining", server->draining);
  mc_lua_set_number(L, "reloads_asked", (double)server->reloads_asked);
  mc_lua_set_number(L, "reloads_answered", (double)server->reloads_answered);
  mc_lua_set_text(L, "reload_error", server->reload_error);
  mc_lua_set_time(L, "refused_at", server->refused_ns);
  mc_lua_push_list(L, push_pool, server->pools, server->pool_count);
  lua_setfield(L, -2, "pools");
  mc_lua_set_text(L, "patterns", server->patterns);
}

static void push_server(lua_State *L, const void *items, size_t i) {
  const mooncrew_server_info *server = (const mooncrew_server_info *)items + i;
  lua_createtable(L, 0, 20);
  mc_lua_set_text(L, "id", server->id);
  mc_lua_set_text(L, "host", server->host);
  mc_lua_set_text(L, "status", server->status);
  mc_lua_set_number(L, "pid", server->pid);
  mc_lua_set_number(L, "concurrency", server->concurrency);
  mc_lua_set_number(L, "active_workers", server->active_workers);
  mc_lua_set_flag(L, "strict", server->strict);
  mc_lua_set_time(L, "started_at", server->started_ns);
  lua_createtable(L, 0, (int)server->queue_count);
  for (size_t k = 0; k < server->queue_count; k++)
    mc_lua_set_number(L, server->queues[k].name, server->queues[k].priority);
  lua_setfield(L, -2, "queues");
  mc_lua_push_list(L, push_worker, server->workers, server->worker_count);
  lua_setfield(L, -2, "workers");
  set_status(L, server);
}

/* servers(without_tasks) */
static int client_servers(lua_State *L) {
  mc_client *client = mc_lua_client_check(L);
  bool with_tasks = !lua_toboolean(L, 2);
  mc_memory **memory = mc_lua_memory_new(L);
  mooncrew_server_list list;
  mc_err err;
  int code = mc_inspect_servers(client, with_tasks, &list, &err);
  if (code)
    return mc_lua_fail(L, code, err.text);
  return mc_lua_answer_list(L, memory, list.memory, push_server, list.items, list.count);
}

const luaL_Reg mc_lua_server_methods[] = {
    {"servers", client_servers},
    {NULL, NULL},
};

/* The C module mooncrew.native_client: see lua_client.h.
 *
 * Lua errors leave C functions by longjmp, so everything that must be freed hangs on a userdata with a __gc: the
 * client, the deliveries of a call, the stats until they are pushed.
 */
#include "client/lua_client.h"

#include "base/mem.h"
#include "client/limits.h"
#include "client/lua_answer.h"
#include "client/lua_inspect.h"
#include "client/shipment.h"
#include "client/stats.h"

#include <lauxlib.h>
#include <math.h>

#define DELIVERIES_TYPE "mooncrew.native_client.deliveries"
#define STATS_TYPE "mooncrew.native_client.stats"

typedef struct deliveries {
  size_t count; /* made so far */
  mc_delivery items[];
} deliveries;

int mc_lua_fail(lua_State *L, int code, const char *text) {
  lua_pushnil(L);
  lua_pushstring(L, text);
  lua_pushstring(L, mc_err_name(code));
  return 3;
}

static void push_slice(lua_State *L, mc_slice slice) {
  lua_pushlstring(L, slice.data ? slice.data : "", slice.size);
}

mc_client *mc_lua_client_check(lua_State *L) {
  mc_client **client = luaL_checkudata(L, 1, MC_LUA_CLIENT_TYPE);
  if (!*client)
    luaL_error(L, "the client is closed, or busy with the call that reports its progress here");
  return *client;
}

/* ---- a table of options, as mooncrew.options makes it ---- */

/* A field is read into the struct by its kind. The value stays in the caller's table, so the slice stays good. */
typedef enum field_kind { FIELD_TEXT, FIELD_INT32, FIELD_INT64 } field_kind;

static const struct field {
  const char *name;
  field_kind kind;
  size_t offset;
  size_t given; /* FIELD_TEXT: the flag that says it is there */
} fields[] = {
    {"queue", FIELD_TEXT, offsetof(mc_enqueue_options, queue), offsetof(mc_enqueue_options, has_queue)},
    {"task_id", FIELD_TEXT, offsetof(mc_enqueue_options, id), offsetof(mc_enqueue_options, has_id)},
    {"group", FIELD_TEXT, offsetof(mc_enqueue_options, group), offsetof(mc_enqueue_options, has_group)},
    {"max_retry", FIELD_INT32, offsetof(mc_enqueue_options, max_retry), 0},
    {"timeout_ms", FIELD_INT64, offsetof(mc_enqueue_options, timeout_ms), 0},
    {"deadline_s", FIELD_INT64, offsetof(mc_enqueue_options, deadline_s), 0},
    {"unique_ms", FIELD_INT64, offsetof(mc_enqueue_options, unique_ms), 0},
    {"process_at_ms", FIELD_INT64, offsetof(mc_enqueue_options, process_at_ms), 0},
    {"retention_ms", FIELD_INT64, offsetof(mc_enqueue_options, retention_ms), 0},
};

/* The text at this index, which must be a string: lua_tolstring would turn a number in the caller's table into one. */
static mc_slice text_at(lua_State *L, int index, const char *name) {
  mc_slice text;
  if (lua_type(L, index) != LUA_TSTRING)
    luaL_error(L, "%s: string expected, got %s", name, luaL_typename(L, index));
  text.data = lua_tolstring(L, index, &text.size);
  return text;
}

static int64_t integer_at(lua_State *L, int index, const char *name, double limit) {
  double number = lua_tonumber(L, index);
  if (lua_type(L, index) != LUA_TNUMBER || number != floor(number) || fabs(number) > limit)
    luaL_error(L, "%s: whole number expected", name);
  return (int64_t)number;
}

static void field_read(lua_State *L, const struct field *field, mc_enqueue_options *out) {
  char *base = (char *)out;
  switch (field->kind) {
  case FIELD_TEXT:
    *(mc_slice *)(base + field->offset) = text_at(L, -1, field->name);
    *(bool *)(base + field->given) = true;
    break;
  case FIELD_INT32:
    *(int32_t *)(base + field->offset) = (int32_t)integer_at(L, -1, field->name, INT32_MAX);
    break;
  case FIELD_INT64:
    *(int64_t *)(base + field->offset) = integer_at(L, -1, field->name, 9007199254740991.0);
    break;
  }
}

/* Headers become an array in a userdata, which is left on the stack to keep it alive. */
static void headers_read(lua_State *L, int index, mc_enqueue_options *out) {
  size_t count = 0;
  luaL_checktype(L, index, LUA_TTABLE);
  for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1))
    count++;
  mc_header *headers = lua_newuserdata(L, (count + 1) * sizeof *headers);
  out->headers = headers;
  for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1)) {
    headers->name = text_at(L, -2, "headers");
    headers->value = text_at(L, -1, "headers");
    headers++;
    out->header_count++;
  }
}

/* Reads type, payload and options from three stack places on; leaves what keeps them alive on the stack. */
static void options_read(lua_State *L, int type, mc_enqueue_options *out) {
  int options = type + 2;
  mc_enqueue_options_init(out);
  out->type = text_at(L, type, "type");
  out->payload = text_at(L, type + 1, "payload");
  if (!out->payload.size)
    out->payload.data = NULL; /* no payload, as Go's nil: a unique key depends on it */
  if (lua_isnoneornil(L, options))
    return;
  luaL_checktype(L, options, LUA_TTABLE);
  for (size_t i = 0; i < MC_COUNT(fields); i++) {
    lua_getfield(L, options, fields[i].name);
    if (!lua_isnil(L, -1))
      field_read(L, &fields[i], out);
    lua_pop(L, 1);
  }
  lua_getfield(L, options, "headers");
  if (!lua_isnil(L, -1))
    headers_read(L, lua_gettop(L), out);
}

/* ---- deliveries ---- */

static deliveries *deliveries_new(lua_State *L, size_t count) {
  deliveries *made = lua_newuserdata(L, sizeof *made + count * sizeof *made->items);
  made->count = 0;
  luaL_getmetatable(L, DELIVERIES_TYPE);
  lua_setmetatable(L, -2);
  return made;
}

static int deliveries_gc(lua_State *L) {
  deliveries *made = luaL_checkudata(L, 1, DELIVERIES_TYPE);
  while (made->count > 0)
    mc_delivery_deinit(&made->items[--made->count]);
  return 0;
}

/* { id =, queue =, type =, state =, process_at = } of a task that was accepted. */
static void push_info(lua_State *L, const mc_delivery *delivery) {
  const mc_enqueue *task = &delivery->task;
  lua_createtable(L, 0, 5);
  push_slice(L, task->id);
  lua_setfield(L, -2, "id");
  push_slice(L, task->queue);
  lua_setfield(L, -2, "queue");
  push_slice(L, task->type);
  lua_setfield(L, -2, "type");
  lua_pushstring(L, mc_delivery_state(delivery));
  lua_setfield(L, -2, "state");
  if (task->kind == MC_ENQUEUE_SCHEDULED) {
    lua_pushnumber(L, (lua_Number)task->process_at_s);
    lua_setfield(L, -2, "process_at");
  }
}

/* { error =, code =, id = } of one that was not; the id is missing when its options were wrong. */
static void push_refusal(lua_State *L, const mc_delivery *delivery) {
  lua_createtable(L, 0, 3);
  lua_pushstring(L, delivery->err.text);
  lua_setfield(L, -2, "error");
  lua_pushstring(L, mc_err_name(delivery->code));
  lua_setfield(L, -2, "code");
  if (delivery->task.id.size) {
    push_slice(L, delivery->task.id);
    lua_setfield(L, -2, "id");
  }
}

/* ---- methods ---- */

static int client_enqueue(lua_State *L) {
  mc_client *client = mc_lua_client_check(L);
  mc_enqueue_options options;
  lua_settop(L, 4);
  options_read(L, 2, &options);
  deliveries *made = deliveries_new(L, 1);
  mc_delivery_prepare(&made->items[made->count++], &options);
  mc_shipment_send(client, made->items, 1);
  if (made->items[0].code)
    return mc_lua_fail(L, made->items[0].code, made->items[0].err.text);
  push_info(L, &made->items[0]);
  return 1;
}

/* Prepares the task that is item i of the list at index 2. */
static void prepare_item(lua_State *L, size_t i, mc_delivery *out) {
  mc_enqueue_options options;
  int top = lua_gettop(L);
  lua_rawgeti(L, 2, (int)i + 1);
  luaL_checktype(L, top + 1, LUA_TTABLE);
  for (int part = 1; part <= 3; part++)
    lua_rawgeti(L, top + 1, part);
  options_read(L, top + 2, &options);
  mc_delivery_prepare(out, &options);
  lua_settop(L, top);
}

static int client_enqueue_many(lua_State *L) {
  mc_client *client = mc_lua_client_check(L);
  luaL_checktype(L, 2, LUA_TTABLE);
  size_t count = lua_objlen(L, 2);
  deliveries *made = deliveries_new(L, count);
  for (size_t i = 0; i < count; i++, made->count++)
    prepare_item(L, i, &made->items[i]);
  mc_shipment_send(client, made->items, count);
  lua_createtable(L, (int)count, 0);
  for (size_t i = 0; i < count; i++) {
    if (made->items[i].code)
      push_refusal(L, &made->items[i]);
    else
      push_info(L, &made->items[i]);
    lua_rawseti(L, -2, (int)i + 1);
  }
  return 1;
}

static int client_close(lua_State *L) {
  mc_client **client = luaL_checkudata(L, 1, MC_LUA_CLIENT_TYPE);
  mc_client_close(*client);
  *client = NULL;
  return 0;
}

static int client_open(lua_State *L) {
  const char *url = luaL_checkstring(L, 1);
  lua_Number timeout_ms = luaL_optnumber(L, 2, 0);
  mc_err err = {""};
  mc_client **client = lua_newuserdata(L, sizeof *client);
  *client = NULL;
  luaL_getmetatable(L, MC_LUA_CLIENT_TYPE);
  lua_setmetatable(L, -2);
  int code = mc_client_open(url, client, &err);
  if (code)
    return mc_lua_fail(L, code, err.text);
  mc_client_set_timeout(*client, timeout_ms > 0 && timeout_ms < 1e15 ? (int64_t)timeout_ms : 0);
  return 1;
}

/* ---- stats ---- */

static const struct stats_field {
  const char *name;
  size_t offset;
} stats_fields[] = {
    {"pending", offsetof(mc_queue_stats, pending)},
    {"active", offsetof(mc_queue_stats, active)},
    {"scheduled", offsetof(mc_queue_stats, scheduled)},
    {"retry", offsetof(mc_queue_stats, retry)},
    {"archived", offsetof(mc_queue_stats, archived)},
    {"completed", offsetof(mc_queue_stats, completed)},
    {"aggregating", offsetof(mc_queue_stats, aggregating)},
    {"failing_folds", offsetof(mc_queue_stats, failing_folds)},
    {"processed_today", offsetof(mc_queue_stats, processed_today)},
    {"failed_today", offsetof(mc_queue_stats, failed_today)},
    {"processed", offsetof(mc_queue_stats, processed)},
    {"failed", offsetof(mc_queue_stats, failed)},
    {"latency_ms", offsetof(mc_queue_stats, latency_ms)},
};

static void push_queue_stats(lua_State *L, const mc_queue_stats *queue) {
  lua_createtable(L, 0, MC_COUNT(stats_fields) + 2);
  lua_pushstring(L, queue->name);
  lua_setfield(L, -2, "name");
  lua_pushboolean(L, queue->paused != 0);
  lua_setfield(L, -2, "paused");
  for (size_t i = 0; i < MC_COUNT(stats_fields); i++) {
    lua_pushnumber(L, (lua_Number) * (const int64_t *)((const char *)queue + stats_fields[i].offset));
    lua_setfield(L, -2, stats_fields[i].name);
  }
}

static void push_stats(lua_State *L, const mc_stats *stats) {
  lua_createtable(L, 0, 2);
  lua_createtable(L, (int)stats->queue_count, 0);
  for (size_t i = 0; i < stats->queue_count; i++) {
    push_queue_stats(L, &stats->queues[i]);
    lua_rawseti(L, -2, (int)i + 1);
  }
  lua_setfield(L, -2, "queues");
  lua_createtable(L, (int)stats->server_count, 0);
  for (size_t i = 0; i < stats->server_count; i++) {
    lua_pushstring(L, stats->servers[i]);
    lua_rawseti(L, -2, (int)i + 1);
  }
  lua_setfield(L, -2, "servers");
}

static int stats_gc(lua_State *L) {
  mc_stats_deinit(luaL_checkudata(L, 1, STATS_TYPE));
  return 0;
}

static int client_stats(lua_State *L) {
  mc_client *client = mc_lua_client_check(L);
  mc_err err = {""};
  mc_stats *stats = lua_newuserdata(L, sizeof *stats);
  *stats = (mc_stats){0};
  luaL_getmetatable(L, STATS_TYPE);
  lua_setmetatable(L, -2);
  int code = mc_client_stats(client, stats, &err);
  if (code)
    return mc_lua_fail(L, code, err.text);
  push_stats(L, stats);
  mc_stats_deinit(stats);
  return 1;
}

/* ---- limits ---- */

static int64_t limit_at(lua_State *L, int index, const char *name, bool *given) {
  *given = !lua_isnoneornil(L, index);
  return *given ? integer_at(L, index, name, 9007199254740991.0) : 0;
}

/* queue, concurrency or nil, rate or nil, interval_ms: what is nil stays, what is 0 is cleared. Gives the three numbers
 * that hold then. */
static int client_limit(lua_State *L) {
  mc_client *client = mc_lua_client_check(L);
  mc_limits_change change = {0};
  mc_limits limits;
  mc_err err = {""};
  bool has_interval;
  change.to.concurrency = limit_at(L, 3, "concurrency", &change.concurrency);
  change.to.rate = limit_at(L, 4, "rate", &change.rate);
  change.to.interval_ms = limit_at(L, 5, "interval_ms", &has_interval);
  int code = mc_client_limit(client, text_at(L, 2, "queue"), &change, &limits, &err);
  if (code)
    return mc_lua_fail(L, code, err.text);
  lua_pushnumber(L, (lua_Number)limits.concurrency);
  lua_pushnumber(L, (lua_Number)limits.rate);
  lua_pushnumber(L, (lua_Number)limits.interval_ms);
  return 3;
}

/* ---- the module ---- */

static const luaL_Reg methods[] = {
    {"enqueue", client_enqueue},
    {"enqueue_many", client_enqueue_many},
    {"stats", client_stats},
    {"limit", client_limit},
    {"close", client_close},
    {"__gc", client_close},
    {NULL, NULL},
};

static const luaL_Reg *const method_tables[] = {
    methods, mc_lua_queue_methods, mc_lua_task_methods, mc_lua_move_methods, mc_lua_server_methods, mc_lua_cron_methods,
};

static const luaL_Reg functions[] = {{"open", client_open}, {NULL, NULL}};

static void register_gc(lua_State *L, const char *type, lua_CFunction gc) {
  luaL_newmetatable(L, type);
  lua_pushcfunction(L, gc);
  lua_setfield(L, -2, "__gc");
  lua_pop(L, 1);
}

int luaopen_mooncrew_native_client(lua_State *L) {
  register_gc(L, DELIVERIES_TYPE, deliveries_gc);
  register_gc(L, STATS_TYPE, stats_gc);
  mc_lua_answer_open(L);
  luaL_newmetatable(L, MC_LUA_CLIENT_TYPE);
  for (size_t i = 0; i < MC_COUNT(method_tables); i++)
    luaL_register(L, NULL, method_tables[i]);
  lua_pushvalue(L, -1);
  lua_setfield(L, -2, "__index");
  lua_newtable(L);
  luaL_register(L, NULL, functions);
  return 1;
}

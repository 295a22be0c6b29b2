/* The manifest: see manifest.h. It is read in protected mode: a value of a type that should not be there raises. */
#include "worker/manifest.h"

#include "base/clock.h"
#include "base/mem.h"
#include "worker/bindings.h"

#include <lauxlib.h>
#include <stdlib.h>

typedef struct cron_list {
  mc_cron_entry *entries;
  size_t count;
} cron_list;

static mc_slice text_field(lua_State *L, int table, const char *name) {
  mc_slice text = {0};
  lua_getfield(L, table, name);
  if (!lua_isnil(L, -1))
    text.data = luaL_checklstring(L, -1, &text.size);
  lua_pop(L, 1); /* the table keeps it alive */
  return text;
}

static int64_t number_field(lua_State *L, int table, const char *name) {
  lua_getfield(L, table, name);
  int64_t number = (int64_t)luaL_optnumber(L, -1, 0);
  lua_pop(L, 1);
  return number;
}

/* The headers come in memory of Lua's that goes with the stack. */
static void keep_headers(mc_enqueue_options *options) {
  if (options->header_count == 0)
    return;
  mc_header *headers = mc_alloc(options->header_count * sizeof *headers);
  memcpy(headers, options->headers, options->header_count * sizeof *headers);
  options->headers = headers;
}

static void read_entry(lua_State *L, int table, mc_cron_entry *out) {
  mc_enqueue_options_init(&out->options);
  out->id = text_field(L, table, "id");
  out->spec = text_field(L, table, "spec");
  out->source = text_field(L, table, "source");
  out->missed =
      mc_slice_equal(text_field(L, table, "missed"), MC_SLICE_LITERAL("latest")) ? MC_CRON_LATEST : MC_CRON_SKIP;
  out->process_in_ms = number_field(L, table, "process_in_ms");
  out->options.type = text_field(L, table, "type");
  out->options.payload = text_field(L, table, "payload");
  lua_getfield(L, table, "options");
  luaL_checktype(L, -1, LUA_TTABLE);
  mc_bindings_read_options(L, lua_gettop(L), &out->options);
  keep_headers(&out->options);
}

/* manifest, cron_list * → nothing */
static int read_list(lua_State *L) {
  cron_list *list = lua_touserdata(L, 2);
  lua_getfield(L, 1, "cron");
  luaL_checktype(L, 3, LUA_TTABLE);
  size_t count = lua_objlen(L, 3);
  list->entries = mc_zalloc((count + 1) * sizeof *list->entries);
  for (; list->count < count; list->count++) {
    lua_rawgeti(L, 3, (int)list->count + 1);
    luaL_checktype(L, 4, LUA_TTABLE);
    read_entry(L, 4, &list->entries[list->count]);
    lua_settop(L, 3);
  }
  return 0;
}

static int check_entry(const mc_cron_entry *entry, mc_err *err) {
  mc_err why;
  mc_cron cron;
  mc_enqueue task;
  int rc = mc_cron_parse(entry->spec, &cron, &why);
  if (rc == 0) {
    mc_cron_deinit(&cron);
    rc = mc_enqueue_init(&task, &entry->options, mc_clock_wall_ms(), &why);
  }
  if (rc)
    return mc_fail(err, rc, "%.*s: cron: %s", MC_SLICE_PRINT(entry->source), why.text);
  mc_enqueue_deinit(&task);
  return 0;
}

int mc_manifest_cron(lua_State *L, int manifest, mc_cron_entry **out, size_t *out_count, mc_err *err) {
  cron_list list = {0};
  int rc = 0;
  lua_pushcfunction(L, read_list);
  lua_pushvalue(L, manifest);
  lua_pushlightuserdata(L, &list);
  if (lua_pcall(L, 2, 0, 0)) {
    rc = mc_fail(err, MC_EINTERNAL, "the cron entries cannot be read: %s", lua_tostring(L, -1));
    lua_pop(L, 1);
  }
  for (size_t i = 0; i < list.count && rc == 0; i++)
    rc = check_entry(&list.entries[i], err);
  if (rc) {
    mc_manifest_cron_free(list.entries, list.count);
    return rc;
  }
  *out = list.entries;
  *out_count = list.count;
  return 0;
}

void mc_manifest_cron_free(mc_cron_entry *entries, size_t count) {
  for (size_t i = 0; i < count; i++)
    free((void *)entries[i].options.headers);
  free(entries);
}

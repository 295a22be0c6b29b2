/* Moving and deleting tasks, for Lua: see lua_inspect.h. */
#include "client/lua_inspect.h"

#include "client/inspect.h"
#include "client/lua_answer.h"
#include "client/lua_client.h"

static int move_one(lua_State *L, mc_move move) {
  mc_err err;
  mc_client *client = mc_lua_client_check(L);
  return mc_lua_answer_order(L, mc_move_task(client, move, mc_lua_slice_at(L, 2), mc_lua_slice_at(L, 3), &err), &err);
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
  mc_slice queue = mc_lua_slice_at(L, 2), state = mc_lua_slice_at(L, 3), group = {0};
  if (!lua_isnil(L, 4))
    group = mc_lua_slice_at(L, 4);
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
  mc_slice queue = mc_lua_slice_at(L, 2);
  mc_move_progress progress = progress_of(&reporting);
  *slot = NULL;
  int code = mc_remove_queue(client, queue, lua_toboolean(L, 3), progress, &count, &err);
  *slot = client;
  return finish_moves(L, &reporting, code, &err, count);
}

const luaL_Reg mc_lua_move_methods[] = {
    {"run_task", client_run_task},           {"archive_task", client_archive_task},
    {"delete_task", client_delete_task},     {"run_tasks", client_run_tasks},
    {"archive_tasks", client_archive_tasks}, {"delete_tasks", client_delete_tasks},
    {"remove_queue", client_remove_queue},   {NULL, NULL},
};

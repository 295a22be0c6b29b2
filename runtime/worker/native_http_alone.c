/* mooncrew.native_http outside of a worker, for tests of handlers: the module with a loop of its own.
 *
 *   turn(seconds) → transfers that ended    runs the loop until one has, or for so long
 */
#include "worker/native_http.h"

#include "base/mem.h"

#include <lauxlib.h>
#include <math.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>

#define LOOP_TYPE "mooncrew.native_http.loop"
#define MAX_SECONDS 1e9

typedef struct alone {
  uv_loop_t loop;
  uv_timer_t limit;
  bool open;
} alone;

static void on_limit(uv_timer_t *timer) {
  (void)timer; /* it ends the wait, which is all */
}

/* How many transfers run, by the module's own stats, which is our second upvalue. */
static lua_Integer count_running(lua_State *L) {
  lua_pushvalue(L, lua_upvalueindex(2));
  lua_call(L, 0, 1);
  lua_Integer running = lua_tointeger(L, -1);
  lua_pop(L, 1);
  return running;
}

static int turn(lua_State *L) {
  alone *self = lua_touserdata(L, lua_upvalueindex(1));
  double seconds = luaL_checknumber(L, 1);
  lua_Integer before = count_running(L), now = before;
  uv_update_time(&self->loop);
  uv_timer_start(&self->limit, on_limit, (uint64_t)(fmin(fmax(seconds, 0), MAX_SECONDS) * 1000), 0);
  do {
    uv_run(&self->loop, UV_RUN_ONCE);
    now = count_running(L);
  } while (now >= before && uv_is_active((uv_handle_t *)&self->limit));
  uv_timer_stop(&self->limit);
  lua_pushinteger(L, now < before ? before - now : 0);
  return 1;
}

/* Runs after the module's own end (it was made before), whose handles close here. */
static int alone_gc(lua_State *L) {
  alone *self = luaL_checkudata(L, 1, LOOP_TYPE);
  if (!self->open)
    return 0;
  self->open = false;
  uv_close((uv_handle_t *)&self->limit, NULL);
  uv_run(&self->loop, UV_RUN_DEFAULT);
  uv_loop_close(&self->loop);
  return 0;
}

/* A server that closes its side must not kill the program; who has an own handler keeps it. */
static void ignore_sigpipe(void) {
  struct sigaction action;
  if (sigaction(SIGPIPE, NULL, &action) == 0 && action.sa_handler == SIG_DFL)
    signal(SIGPIPE, SIG_IGN);
}

static alone *push_alone(lua_State *L) {
  alone *self = lua_newuserdata(L, sizeof *self);
  memset(self, 0, sizeof *self);
  luaL_newmetatable(L, LOOP_TYPE);
  lua_pushcfunction(L, alone_gc);
  lua_setfield(L, -2, "__gc");
  lua_setmetatable(L, -2);
  if (uv_loop_init(&self->loop))
    luaL_error(L, "no event loop");
  uv_timer_init(&self->loop, &self->limit);
  self->open = true;
  return self;
}

int luaopen_mooncrew_native_http(lua_State *L) {
  ignore_sigpipe();
  alone *self = push_alone(L);
  int loop = lua_gettop(L);
  mc_native_http_push(L, &self->loop);
  lua_pushvalue(L, loop);
  lua_getfield(L, -2, "stats");
  lua_pushcclosure(L, turn, 2);
  lua_setfield(L, -2, "turn");
  return 1;
}

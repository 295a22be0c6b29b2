/* native.cron_next: see cron.h. */
#include "lualib/cron.h"

#include "protocol/cron.h"

#include <lauxlib.h>
#include <math.h>

int mc_lua_cron_next(lua_State *L) {
  mc_slice spec;
  mc_cron cron;
  mc_err err;
  int64_t tick_s;
  spec.data = luaL_checklstring(L, 1, &spec.size);
  double after_s = floor(luaL_checknumber(L, 2));
  luaL_argcheck(L, fabs(after_s) < 1e12, 2, "no unix time in seconds");
  if (mc_cron_parse(spec, &cron, &err)) {
    lua_pushnil(L);
    lua_pushstring(L, err.text);
    return 2;
  }
  if (mc_cron_next(&cron, (int64_t)after_s, &tick_s))
    lua_pushnumber(L, (lua_Number)tick_s);
  else
    lua_pushboolean(L, 0);
  mc_cron_deinit(&cron);
  return 1;
}

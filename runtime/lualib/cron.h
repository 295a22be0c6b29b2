/* Schedules of cron entries for Lua (protocol/cron.h).
 *
 *   native.cron_next(spec, after)  → the first tick after an instant, unix seconds
 *                                  | false: the spec is right, and has no tick within five years
 *                                  | nil, message
 */
#ifndef MC_LUALIB_CRON_H
#define MC_LUALIB_CRON_H

#include <lua.h>

/* A lua_CFunction: native.cron_next. */
int mc_lua_cron_next(lua_State *L);

#endif

/* An alarm for Lua code that takes too long: for those who develop, never in a worker.
 *
 *   native.alarm_set(seconds, over, report)   one at a time; setting another replaces it
 *   native.alarm_report(report)               another one
 *   native.alarm_now()                        as if the time of the one that is set were over
 *   native.alarm_clear()  → seconds, over, report   what was left of its time (0: it is over), and what was given to
 *                                             alarm_set; nothing when none was set
 *
 * When its time is over, `over` is called at every instruction that Lua runs, in whichever coroutine, until the alarm
 * is cleared: it may raise an error again and again, so that no pcall keeps it. The hook of a debugger rests meanwhile.
 * Compiled code calls no hooks: whoever sets an alarm turns the compiler off (mooncrew.time_limit).
 *
 * What blocks in C does not come to an instruction: a read from a terminal is broken off, and programs that were
 * started since the alarm was set are killed. Where that does not help either, the process writes the report to
 * standard error and ends, with EXIT_FAILURE.
 */
#ifndef MC_LUALIB_ALARM_H
#define MC_LUALIB_ALARM_H

#include <lua.h>

/* lua_CFunctions. The alarm belongs to the process: only one of its Lua states may use it. */
int mc_lua_alarm_set(lua_State *L);
int mc_lua_alarm_report(lua_State *L);
int mc_lua_alarm_now(lua_State *L);
int mc_lua_alarm_clear(lua_State *L);

#endif

/* The Lua module mooncrew.native: what the project's Lua needs from C. Runs in LuaJIT and in plain Lua 5.1.
 *
 *   regex(pattern)       → a compiled regular expression | nil, message          (regex.h)
 *   json_scan(…)         → checks a JSON text beyond what lua-cjson checks       (json_scan.h)
 *   next, pairs          as the globals, but never compiled                    (traversal.h)
 *   json_max_depth       = how deeply arrays and objects may be nested
 *   utf8_valid(text)     → true | false, the first bad byte's position (1-based)
 *   utf8_length(text)    → how many characters | nil when the text is not UTF-8
 *   queue_name_usable(name) → whether a queue may be called so, the rule for names (base/queue_name.h)
 *   cron_next(spec, after) → when a schedule is due next                         (cron.h)
 *   wall_ms()            → the wall clock, milliseconds since 1970
 *   uuid()               → a random version 4 UUID, lower case
 */
#ifndef MC_LUALIB_NATIVE_H
#define MC_LUALIB_NATIVE_H

#include <lua.h>

__attribute__((visibility("default"))) int luaopen_mooncrew_native(lua_State *L);

#endif

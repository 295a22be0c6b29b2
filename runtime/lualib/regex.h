/* Regular expressions for Lua, by PCRE2: UTF-8, JIT where the library has it, and bounded effort.
 *
 *   local regex, message = native.regex("^[a-z]+$")   -- message names the pattern, what is wrong and the offset
 *   regex:matches(text)  → true | false | nil, message
 *
 * `matches` searches anywhere in the text. `$` is the very end, not the place before a final newline. A search that
 * needs too many steps is given up with a message, so a pattern that backtracks without end cannot hang a process.
 */
#ifndef MC_LUALIB_REGEX_H
#define MC_LUALIB_REGEX_H

#include <lua.h>

/* Makes the metatable of compiled expressions. Call once per state, before mc_lua_regex_new. */
void mc_lua_regex_register(lua_State *L);

/* A lua_CFunction: native.regex. */
int mc_lua_regex_new(lua_State *L);

#endif

/* The C half of the Lua command line: `require "mooncrew.native_cli"`. */
#ifndef MC_CLI_NATIVE_CLI_H
#define MC_CLI_NATIVE_CLI_H

#include "config/config.h"

#include <lua.h>

/*   options()                 the table of options: { {name, type, default, min, max, choices, secret, doc}, … }
 *   config()                  a new configuration at its defaults; config:set(name, text) → true | nil, message, code
 *                             config:get(name) → its value in one form, whatever it was set from; "" for no option
 *   redis_url(text)           the address without user and password | nil, message, code
 *   start_redis(folder, path) the pid of a private redis-server on the socket at path | nil, message, code
 *   redis_alive(path)         whether a Redis answers on the socket
 *   versions()                { {name, version}, … } of what this program was built with
 */
__attribute__((visibility("default"))) int luaopen_mooncrew_native_cli(lua_State *L);

/* Moves the configuration at the stack index out of its Lua value, which is at nothing afterwards; raises a Lua error
 * when there is none. */
void mc_native_cli_take_config(lua_State *L, int index, mc_config *out);

#endif

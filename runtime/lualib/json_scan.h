/* A second look at a JSON text that lua-cjson has decoded: refuses what cjson lets through, restores what it loses.
 *
 *   native.json_scan(text, value, array_metatable, on_integer, context)  → true, value | nil, keys, message
 *
 * text is what cjson decoded into value. Refused: control characters in strings, numbers such as `1.` or `-.5`,
 * numbers beyond the range of a double, two members of one name, a NUL after the end. Restored: an empty array gets
 * array_metatable, so that it does not become an empty object. An integer beyond ±(2^53 - 1), which cjson has rounded,
 * is handed as text to on_integer(context, keys, text), which returns the exact value to put in its place, or nil and a
 * message.
 *
 * keys lead from value to the place: strings for members, 0-based numbers for items.
 */
#ifndef MC_LUALIB_JSON_SCAN_H
#define MC_LUALIB_JSON_SCAN_H

#include <lua.h>

#define MC_JSON_MAX_DEPTH 128

/* Pushes the function json_scan. */
void mc_lua_json_scan_push(lua_State *L);

#endif

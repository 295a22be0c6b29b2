/* Member names of a JSON text: without their escapes, and compared with one another. */
#ifndef MC_LUALIB_JSON_KEY_H
#define MC_LUALIB_JSON_KEY_H

#include "base/slice.h"

/* Writes a string's content (between its quotes, known to be valid JSON) without escapes, as UTF-8; out has room for
 * raw.size bytes. Returns the end of what was written. */
char *mc_json_key_unescape(mc_slice raw, char *out);

/* A key that equals another one of the run, NULL when all differ. May reorder the run. */
const mc_slice *mc_json_key_duplicate(mc_slice *keys, size_t count);

#endif

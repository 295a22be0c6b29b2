/* What scripts declare beside their tasks, from the manifest that worker.load gives (lua/mooncrew/worker.lua). */
#ifndef MC_WORKER_MANIFEST_H
#define MC_WORKER_MANIFEST_H

#include "base/err.h"
#include "protocol/cron_entry.h"

#include <lua.h>

/* The cron entries in the field `cron` of the manifest at a place of the stack, each checked to the last: its schedule,
 * and that a task can be made of it. 0, or a code and a text that names file and line. Texts are borrowed from the
 * manifest; mc_manifest_cron_free frees the rest. */
int mc_manifest_cron(lua_State *L, int manifest, mc_cron_entry **out, size_t *out_count, mc_err *err);
void mc_manifest_cron_free(mc_cron_entry *entries, size_t count);

#endif

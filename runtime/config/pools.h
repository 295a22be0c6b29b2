/* Named pools of workers, as text: "io: concurrency=500 cpu: workers=2 concurrency=1 queues=image=3,video". A word that
 * ends in a colon begins a pool, those after it say what it has: workers, concurrency, prefetch, memory_limit, strict,
 * queues. What a pool is not given is what the option of that name says; so a pool without queues serves those of the
 * top level.
 */
#ifndef MC_CONFIG_POOLS_H
#define MC_CONFIG_POOLS_H

#include "config/config.h"

#define MC_POOL_NAME_MAX 32

/* 0 and a new array, to be freed by mc_pools_free; blank text gives none. MC_EINVALID, with a text that begins with the
 * path ("pools.cpu.workers: …"): a name that is doubled, longer than MC_POOL_NAME_MAX, or has others than a-z 0-9 _ -;
 * a setting that is unknown, doubled, or out of its option's range. */
int mc_pools_parse(const char *text, mc_config_pool **pools, size_t *count, mc_err *err);

void mc_pools_show(const mc_config_pool *pools, size_t count, mc_buf *out); /* as text that parses to the same */
void mc_pools_free(mc_config_pool *pools, size_t count);

/* The pools to run, with everything filled in: at least one; where none was named, one whose name is "". Names and
 * queues are borrowed from the configuration; the array is freed by free(). */
void mc_config_pools(const mc_config *config, mc_config_pool **out_pools, size_t *out_count);

#endif

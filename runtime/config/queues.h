/* The queues to serve, as text: "critical=6,default=3,low". A bare name weighs 1. A name that ends in `*` is a pattern:
 * it stands for every queue whose name begins so. Behind a weight may stand settings for that queue alone:
 * "audit=1/archive_max_age=7d/archive_max_size=100".
 */
#ifndef MC_CONFIG_QUEUES_H
#define MC_CONFIG_QUEUES_H

#include "config/config.h"

#define MC_QUEUE_WEIGHT_MAX 1000000

/* 0 and a new array, to be freed by mc_queues_free; MC_EINVALID for no queue at all, a blank or doubled name, a name
 * with white space, control characters, one of = , { } or a `*` that is not its last character, a weight outside
 * 1 … MC_QUEUE_WEIGHT_MAX, or a setting that is unknown, doubled or out of its option's range. */
int mc_queues_parse(const char *text, mc_config_queue **queues, size_t *count, mc_err *err);

void mc_queues_show(const mc_config_queue *queues, size_t count, mc_buf *out); /* as text that parses to the same */
void mc_queues_free(mc_config_queue *queues, size_t count);

#endif

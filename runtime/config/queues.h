/* The queues to serve, as text: "critical=6,default=3,low". A bare name weighs 1. */
#ifndef MC_CONFIG_QUEUES_H
#define MC_CONFIG_QUEUES_H

#include "config/config.h"

#define MC_QUEUE_WEIGHT_MAX 1000000

/* 0 and a new array, to be freed by mc_queues_free; MC_EINVALID for no queue at all, a blank or doubled name, a name
 * with white space, control characters or one of = , { }, or a weight outside 1 … MC_QUEUE_WEIGHT_MAX. */
int mc_queues_parse(const char *text, mc_config_queue **queues, size_t *count, mc_err *err);

void mc_queues_free(mc_config_queue *queues, size_t count);

#endif

/* What may be the name of a queue that somebody makes or serves. asynq takes any name that is not blank, so queues with
 * other names may exist: they can be looked at and emptied, but nothing of ours adds to them.
 */
#ifndef MC_BASE_QUEUE_NAME_H
#define MC_BASE_QUEUE_NAME_H

#include "base/slice.h"

#include <stdbool.h>

/* For messages: "… is no queue name: " MC_QUEUE_NAME_RULE. */
#define MC_QUEUE_NAME_RULE "it is UTF-8 without white space, control characters and any of = , { }"

/* Not empty, and as the rule says. Braces would end the part of a key that decides its place in a
 * cluster; the other signs separate queues in a configuration. */
bool mc_queue_name_usable(mc_slice name);

#endif

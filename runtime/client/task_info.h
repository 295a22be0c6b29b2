/* From a task as it stands in Redis to what a caller is told of it. */
#ifndef MC_CLIENT_TASK_INFO_H
#define MC_CLIENT_TASK_INFO_H

#include "client/memory.h"
#include "client/mooncrew.h"
#include "protocol/inspect.h"

/* Fills out with copies in memory. state: where the task was found; MC_TASK_STATES: nobody
 * knows. What cannot be read is told in out->problem. */
void mc_task_info_fill(mooncrew_task_info *out, mc_memory *memory, mc_slice queue, mc_task_state state,
                       const mc_task_record *record);

/* The state that its hash names, or MC_TASK_STATES. */
mc_task_state mc_task_record_state(const mc_task_record *record);

#endif

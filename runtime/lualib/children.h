/* The programs that this process has started, and that have not ended. May be called in a signal handler. */
#ifndef MC_LUALIB_CHILDREN_H
#define MC_LUALIB_CHILDREN_H

#include <stdint.h>

/* Now, in ticks since the system was started. */
uint64_t mc_children_now(void);

/* Kills those that were started at this time or later, and what these have started. */
void mc_children_kill(uint64_t since);

#endif

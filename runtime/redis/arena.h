/* Memory that is handed out piece by piece and taken back all at once. A zeroed mc_arena is empty and ready. */
#ifndef MC_REDIS_ARENA_H
#define MC_REDIS_ARENA_H

#include <stddef.h>

typedef struct mc_arena {
  struct mc_arena_chunk *chunk; /* the one that pieces come from; the full ones hang behind it */
  size_t total;                 /* bytes in all chunks */
} mc_arena;

void mc_arena_deinit(mc_arena *arena);             /* frees; empty and ready again */
void *mc_arena_take(mc_arena *arena, size_t size); /* uninitialised, aligned for pointers and 64-bit integers */

/* Takes everything back. Keeps memory for about as much again, unless that was unusually much. */
void mc_arena_reset(mc_arena *arena);

#endif

/* Which script a worker is at while it loads, by what it notes in the shared page: also when it does not come to its
 * end, or has ended. */
#ifndef MC_SUPERVISOR_LOADING_H
#define MC_SUPERVISOR_LOADING_H

#include <stddef.h>

#define MC_LOADING_NO_EXIT ": a script must not end its process, by os.exit() or otherwise"

struct mc_worker;

typedef struct mc_loading {
  char place[320]; /* "scripts/a.lua:12"; empty: it is at none, or was ready before */
} mc_loading;

/* Its generation must not have been dropped yet. */
mc_loading mc_loading_of(const struct mc_worker *worker);

/* Writes a message about it: "PLACE: what", or, where no place is known, the second text alone. */
void mc_loading_say(const mc_loading *loading, const char *what, const char *otherwise, char *text, size_t size);

#endif

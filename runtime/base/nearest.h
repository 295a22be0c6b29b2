/* "Did you mean": the known name that a mistyped one is closest to. */
#ifndef MC_BASE_NEAREST_H
#define MC_BASE_NEAREST_H

#include <stddef.h>

/* The name with the smallest edit distance (the first of equals; '-' and '_' count as the same letter), borrowed from
 * names; NULL when none is close enough to be what was meant: more than a third of the letters, or 2, would change. */
const char *mc_name_nearest(const char *name, const char *const *names, size_t count);

#endif

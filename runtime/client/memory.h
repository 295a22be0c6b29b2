/* What an answer points to: texts and arrays that are released all at once. */
#ifndef MC_CLIENT_MEMORY_H
#define MC_CLIENT_MEMORY_H

#include "base/slice.h"

typedef struct mooncrew_memory mc_memory;

mc_memory *mc_memory_new(void);
void mc_memory_free(mc_memory *memory); /* NULL is fine */

void *mc_memory_take(mc_memory *memory, size_t count, size_t size); /* zeroed; never NULL */
char *mc_memory_text(mc_memory *memory, mc_slice text);             /* a copy with a NUL behind it */
char *mc_memory_text_or_null(mc_memory *memory, mc_slice text);     /* NULL when it is empty */

#endif

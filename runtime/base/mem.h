/* Memory: allocation that does not fail.
 *
 * When the system has no memory left these print one line and abort. Everything that was accepted is in Redis, so
 * another process recovers it; a half-done operation after a failed malloc would be worse. Free with free().
 */
#ifndef MC_BASE_MEM_H
#define MC_BASE_MEM_H

#include <stddef.h>

void *mc_alloc(size_t size);                        /* uninitialised */
void *mc_zalloc(size_t size);                       /* zeroed */
void *mc_realloc(void *old, size_t size);           /* old may be NULL */
char *mc_strdup(const char *text);                  /* NULL gives NULL */
char *mc_strndup(const char *bytes, size_t length); /* copies length bytes and adds a NUL */

/* The struct that embeds a member, from the member's address. */
#define mc_container_of(pointer, type, member) ((type *)((char *)(pointer)-offsetof(type, member)))

#define MC_COUNT(array) (sizeof(array) / sizeof((array)[0]))

#endif

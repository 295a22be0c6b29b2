/* The ceiling: a bare client, with no worker behind it, that dequeues and completes tasks by the same server scripts,
 * in batches, pipelined. What a runtime costs is measured against it.
 */
#ifndef MC_BENCH_CEILING_H
#define MC_BENCH_CEILING_H

#include <stddef.h>

/* Drains the queue "default" of count tasks and returns the seconds it took. Whatever goes wrong ends the program. */
double ceiling_drain(const char *url, size_t count, size_t batch);

#endif

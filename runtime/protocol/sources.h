/* The sources of all scripts as one run of bytes, which the supervisor writes and its workers read (a sealed memfd,
 * descriptor 5 of a worker), so that all workers of a generation run the same ones, also those that are started later:
 *
 *   file = path, text      each as u64 size, in the byte order of the host, and bytes
 */
#ifndef MC_PROTOCOL_SOURCES_H
#define MC_PROTOCOL_SOURCES_H

#include "base/buf.h"

#include <stdbool.h>

#define MC_WORKER_SOURCES_FD 5

typedef struct mc_source {
  mc_slice path, text;
} mc_source;

void mc_source_add(mc_buf *out, mc_slice path, mc_slice text);

/* The next file, borrowed from *rest, which moves behind it; false at the end, or when what follows is no file. */
bool mc_source_next(mc_slice *rest, mc_source *out);

#endif

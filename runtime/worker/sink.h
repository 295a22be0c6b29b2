/* Where the body of an answer goes: into memory, or into a file that gets its name only when it is whole.
 *
 *   open ──▶ write … ──▶ keep: the file has its name      deinit without keep: no file is left
 *
 * The file is written under a temporary name in the same folder. A process that is killed leaves that one behind.
 */
#ifndef MC_WORKER_SINK_H
#define MC_WORKER_SINK_H

#include "base/buf.h"
#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct mc_sink {
  mc_buf memory;
  char *path, *temporary; /* NULL: memory alone */
  int fd;
  uint64_t file_size, file_limit, memory_limit; /* bytes */
  const char *code; /* of the failure, "TOO_LARGE" or "IO_ERROR"; NULL while there is none */
  mc_err failure;
} mc_sink;

/* path may be NULL, and what is there must be a regular file; limits are in bytes. On failure there is nothing to
 * deinit. */
int mc_sink_init(mc_sink *sink, const char *path, uint64_t file_limit, uint64_t memory_limit, mc_err *err);
void mc_sink_deinit(mc_sink *sink);

/* Takes bytes, into the file when to_file says so and there is one. false: code and failure say why. */
bool mc_sink_write(mc_sink *sink, const char *bytes, size_t size, bool to_file);

/* Gives the file its name, in place of one that was there. false: code and failure say why. */
bool mc_sink_keep(mc_sink *sink);

#endif

/* A copy of all scripts as they stand in their folder at one moment.
 *
 * Workers load from the copy, never from the folder. So the workers of a generation agree whatever is edited meanwhile,
 * and one that is started again long after runs what its neighbours run, not a file that was broken since.
 *
 * What is copied is what mooncrew.scripts loads: every file called *.lua, in the folder and those below it, without
 * what begins with a dot; links are followed. Other files that scripts read are not: they come from the disk.
 */
#ifndef MC_SUPERVISOR_SNAPSHOT_H
#define MC_SUPERVISOR_SNAPSHOT_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct mc_snapshot {
  int fd;          /* sealed; see protocol/sources.h. -1: there is none */
  uint64_t digest; /* of paths and texts */
} mc_snapshot;

/* 0, or MC_EIO: the folder or what stands in it cannot be read, MC_EINVALID: it is more than 64 MB; the text names the
 * path. Reads the disk and waits for it: some files of some KB. */
int mc_snapshot_take(const char *folder, mc_snapshot *out, mc_err *err);
/* Writes the path of one of the files, counted from 1 in the order of their bytes; false when there is none. */
bool mc_snapshot_path(const mc_snapshot *snapshot, size_t number, char *path, size_t size);
void mc_snapshot_close(mc_snapshot *snapshot);

/* Calls visit for the folder and each one below it that the scripts are looked for in. */
typedef void mc_folder_fn(void *arg, const char *path);
void mc_snapshot_folders(const char *folder, mc_folder_fn *visit, void *arg);

#endif

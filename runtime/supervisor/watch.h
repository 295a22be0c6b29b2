/* Watching the scripts: a reload is asked for when one of them is another than before.
 *
 * inotify, through libuv, on every folder that scripts are looked for in, and on those on the way to the scripts
 * folder, where each may be replaced, or be a link that is set anew. A change is let settle for a moment, since editors
 * write in steps and rename over the file, and a checkout touches many. Then the scripts are compared with those that
 * were loaded last: a file that was only touched, or is no script, reloads nothing.
 */
#ifndef MC_SUPERVISOR_WATCH_H
#define MC_SUPERVISOR_WATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

struct mc_node;

typedef struct mc_watch {
  struct mc_watched **folders; /* allocated; one per folder, each freed when its handle is closed */
  size_t count;
  size_t unwatched; /* of these: the kernel refused, as the log says */
  uv_timer_t settle;
  uint64_t first_ms;    /* CLOCK_MONOTONIC: of the changes that settle; 0: none */
  uint64_t seen_digest; /* of the scripts that were asked for last */
  bool open;
} mc_watch;

void mc_watch_open(struct mc_node *node);  /* nothing, unless it is configured */
void mc_watch_close(struct mc_node *node); /* before the loop ends */

#endif

/* The worker's end of the socketpair: frames in as they come, and all frames of one loop turn out in one write. */
#ifndef MC_WORKER_UPSTREAM_H
#define MC_WORKER_UPSTREAM_H

#include "protocol/frames.h"

#include <sys/types.h>
#include <uv.h>

typedef struct mc_upstream {
  uv_pipe_t pipe;
  uv_prepare_t flush; /* runs at the end of each turn, before the loop waits */
  uv_write_t write;
  bool writing;        /* `sending` belongs to libuv */
  mc_buf out, sending; /* gathered; being written */
  dev_t device;        /* with the next: which file the descriptor was when it was taken */
  ino_t inode;
  uint64_t oldest_us; /* when the first of the frames in `out` was added; meaningless while it is empty */
  mc_frame_reader reader;
  void (*on_frame)(void *arg, const mc_frame *frame);
  void (*on_writable)(void *arg);                /* it was full, and is no more */
  void (*on_closed)(void *arg, const char *why); /* why: NULL when the supervisor closed its end */
  void *arg;
} mc_upstream;

/* Takes the descriptor and begins to read. The callbacks and arg are set by the caller before. */
int mc_upstream_open(mc_upstream *upstream, uv_loop_t *loop, int fd, mc_err *err);

/* Where to encode a frame. It leaves at the end of the turn. */
mc_buf *mc_upstream_out(mc_upstream *upstream);

/* True when what has gathered must leave before any more handlers run: much of it, or for long, so that results are
 * not lost with a handler that kills the process. */
bool mc_upstream_due(const mc_upstream *upstream, uint64_t now_us);

/* True while the supervisor does not read: handlers wait, lest results pile up. */
bool mc_upstream_full(const mc_upstream *upstream);

void mc_upstream_flush(mc_upstream *upstream);

/* False when its descriptor was closed, and not by this, also if it is another file now. */
bool mc_upstream_is_open(const mc_upstream *upstream);

/* The same for its descriptor and the loop's together, at the price of one system call. */
bool mc_upstream_is_whole(const mc_upstream *upstream);

/* Writes everything out, waiting as long as it takes; for the last frame of a process that ends. */
void mc_upstream_finish(mc_upstream *upstream);

#endif

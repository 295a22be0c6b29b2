/* One end of the socketpair to a worker: frames out in one write per loop turn, frames in as they come. */
#ifndef MC_SUPERVISOR_CHANNEL_H
#define MC_SUPERVISOR_CHANNEL_H

#include "protocol/frames.h"

#include <uv.h>

typedef struct mc_channel {
  uv_pipe_t pipe;
  mc_frame_reader reader;
  mc_buf out;
  bool open;
  bool broken; /* malformed frames: nothing more is read */
  void (*on_frame)(void *arg, const mc_frame *frame);
  void (*on_broken)(void *arg, const char *why); /* the worker speaks nonsense: it is to be killed */
  void (*on_ended)(void *arg);                   /* the worker's end is closed: mostly since it has died */
  void (*on_closed)(void *arg);
  void *arg;
} mc_channel;

/* Takes the descriptor. Callbacks and arg are set by the caller before. 0 or MC_EIO; in both cases it is to be closed.
 */
int mc_channel_open(mc_channel *channel, uv_loop_t *loop, int fd, mc_err *err);

/* Where to encode frames that leave at the end of the turn. */
mc_buf *mc_channel_out(mc_channel *channel);
void mc_channel_flush(mc_channel *channel);

/* Bytes that the worker's socket has not taken yet. */
size_t mc_channel_unsent(const mc_channel *channel);

/* Reads whatever a dead worker had written, without waiting. */
void mc_channel_drain(mc_channel *channel);

/* Ends with on_closed. */
void mc_channel_close(mc_channel *channel);

#endif

/* One end of the socketpair to a worker: see channel.h. */
#include "supervisor/channel.h"

#include "base/mem.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#define READ_SIZE 65536

typedef struct pending_write {
  uv_write_t request;
  mc_buf bytes;
} pending_write;

static char read_space[READ_SIZE]; /* lent for the length of one read callback: one loop, one thread */

static void give_space(uv_handle_t *handle, size_t suggested, uv_buf_t *out) {
  (void)handle;
  (void)suggested;
  *out = uv_buf_init(read_space, READ_SIZE);
}

static void take_bytes(mc_channel *channel, const char *bytes, size_t size) {
  mc_frame frame;
  mc_err err;
  int rc;
  if (channel->broken)
    return;
  mc_frame_reader_feed(&channel->reader, bytes, size);
  while ((rc = mc_frame_reader_next(&channel->reader, &frame, &err)) > 0)
    channel->on_frame(channel->arg, &frame);
  if (rc < 0) {
    channel->broken = true;
    channel->on_broken(channel->arg, err.text);
  }
}

static void on_read(uv_stream_t *stream, ssize_t size, const uv_buf_t *space) {
  mc_channel *channel = mc_container_of(stream, mc_channel, pipe);
  if (size > 0) {
    take_bytes(channel, space->base, (size_t)size);
  } else if (size < 0) {
    uv_read_stop(stream); /* the end of the process tells what happened */
    channel->on_ended(channel->arg);
  }
}

int mc_channel_open(mc_channel *channel, uv_loop_t *loop, int fd, mc_err *err) {
  uv_pipe_init(loop, &channel->pipe, 0); /* without IPC it cannot fail */
  channel->open = true;
  int rc = uv_pipe_open(&channel->pipe, fd);
  if (rc)
    close(fd);
  else
    rc = uv_read_start((uv_stream_t *)&channel->pipe, give_space, on_read);
  if (rc)
    return mc_fail(err, MC_EIO, "cannot use the socket to a worker: %s", uv_strerror(rc));
  return 0;
}

mc_buf *mc_channel_out(mc_channel *channel) {
  return &channel->out;
}

static void on_written(uv_write_t *request, int status) {
  (void)status; /* a worker that cannot be written to is gone; its exit settles everything */
  pending_write *write = mc_container_of(request, pending_write, request);
  mc_buf_deinit(&write->bytes);
  free(write);
}

void mc_channel_flush(mc_channel *channel) {
  if (!channel->open || channel->out.size == 0)
    return;
  uv_buf_t all = uv_buf_init(channel->out.data, (unsigned)channel->out.size);
  int written = uv_try_write((uv_stream_t *)&channel->pipe, &all, 1);
  if (written > 0)
    mc_buf_consume(&channel->out, (size_t)written);
  if (channel->out.size == 0)
    return;
  pending_write *write = mc_zalloc(sizeof *write);
  write->bytes = channel->out;
  channel->out = (mc_buf){0};
  all = uv_buf_init(write->bytes.data, (unsigned)write->bytes.size);
  if (uv_write(&write->request, (uv_stream_t *)&channel->pipe, &all, 1, on_written))
    on_written(&write->request, 0);
}

size_t mc_channel_unsent(const mc_channel *channel) {
  return channel->out.size + (channel->open ? uv_stream_get_write_queue_size((const uv_stream_t *)&channel->pipe) : 0);
}

void mc_channel_drain(mc_channel *channel) {
  uv_os_fd_t fd;
  ssize_t size;
  if (!channel->open || uv_fileno((uv_handle_t *)&channel->pipe, &fd))
    return;
  do {
    size = read(fd, read_space, READ_SIZE);
    if (size > 0)
      take_bytes(channel, read_space, (size_t)size);
  } while (size > 0 || (size < 0 && errno == EINTR));
}

static void on_pipe_closed(uv_handle_t *handle) {
  mc_channel *channel = mc_container_of(handle, mc_channel, pipe);
  mc_frame_reader_deinit(&channel->reader);
  mc_buf_deinit(&channel->out);
  channel->on_closed(channel->arg);
}

void mc_channel_close(mc_channel *channel) {
  if (!channel->open)
    return;
  channel->open = false;
  uv_close((uv_handle_t *)&channel->pipe, on_pipe_closed);
}

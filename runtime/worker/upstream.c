/* The worker's end of the socketpair: see upstream.h. */
#include "worker/upstream.h"

#include "base/clock.h"
#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <unistd.h>

#define FULL_BYTES 65536
#define DUE_US 1000
#define KEEP_BYTES (1u << 20) /* larger buffers give their memory back */

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *out) {
  static char bytes[65536]; /* one read at a time, and copied at once */
  (void)handle;
  (void)suggested;
  *out = uv_buf_init(bytes, sizeof bytes);
}

static void on_read(uv_stream_t *stream, ssize_t size, const uv_buf_t *buf) {
  mc_upstream *upstream = stream->data;
  mc_frame frame;
  mc_err err;
  int rc;
  if (size < 0) {
    upstream->on_closed(upstream->arg, size == UV_EOF || size == UV_ECONNRESET ? NULL : uv_strerror((int)size));
    return;
  }
  mc_frame_reader_feed(&upstream->reader, buf->base, (size_t)size);
  while ((rc = mc_frame_reader_next(&upstream->reader, &frame, &err)) > 0)
    upstream->on_frame(upstream->arg, &frame);
  if (rc < 0)
    upstream->on_closed(upstream->arg, err.text);
}

static void on_turn_end(uv_prepare_t *handle) {
  mc_upstream_flush(handle->data);
}

static int remember_file(mc_upstream *upstream, int fd) {
  struct stat stat;
  if (fstat(fd, &stat))
    return -errno;
  upstream->device = stat.st_dev;
  upstream->inode = stat.st_ino;
  return 0;
}

int mc_upstream_open(mc_upstream *upstream, uv_loop_t *loop, int fd, mc_err *err) {
  upstream->pipe.data = upstream->flush.data = upstream->write.data = upstream;
  uv_pipe_init(loop, &upstream->pipe, 0);
  uv_prepare_init(loop, &upstream->flush);
  uv_prepare_start(&upstream->flush, on_turn_end);
  int rc = fcntl(fd, F_SETFD, FD_CLOEXEC) ? -errno : remember_file(upstream, fd);
  if (rc == 0)
    rc = uv_pipe_open(&upstream->pipe, fd);
  if (rc == 0)
    rc = uv_read_start((uv_stream_t *)&upstream->pipe, on_alloc, on_read);
  return rc ? mc_fail(err, MC_EIO, "descriptor %d, the supervisor's socket: %s", fd, uv_strerror(rc)) : 0;
}

mc_buf *mc_upstream_out(mc_upstream *upstream) {
  if (upstream->out.size == 0)
    upstream->oldest_us = mc_clock_mono_us();
  return &upstream->out;
}

bool mc_upstream_due(const mc_upstream *upstream, uint64_t now_us) {
  return upstream->out.size >= FULL_BYTES || (upstream->out.size && now_us - upstream->oldest_us >= DUE_US);
}

bool mc_upstream_full(const mc_upstream *upstream) {
  return upstream->writing && upstream->out.size >= FULL_BYTES;
}

static void buf_reuse(mc_buf *buf) {
  if (buf->capacity > KEEP_BYTES)
    mc_buf_deinit(buf);
  else
    mc_buf_clear(buf);
}

static void on_written(uv_write_t *write, int status) {
  mc_upstream *upstream = write->data;
  bool was_full = mc_upstream_full(upstream);
  upstream->writing = false;
  buf_reuse(&upstream->sending);
  if (status < 0)
    return; /* the supervisor is gone; reading says so */
  mc_upstream_flush(upstream);
  if (was_full)
    upstream->on_writable(upstream->arg);
}

/* Hands what try_write left over to libuv. */
static void write_rest(mc_upstream *upstream) {
  mc_buf swap = upstream->sending;
  upstream->sending = upstream->out;
  upstream->out = swap;
  uv_buf_t bytes = uv_buf_init(upstream->sending.data, (unsigned)upstream->sending.size);
  upstream->writing = uv_write(&upstream->write, (uv_stream_t *)&upstream->pipe, &bytes, 1, on_written) == 0;
}

void mc_upstream_flush(mc_upstream *upstream) {
  if (upstream->writing || upstream->out.size == 0)
    return;
  uv_buf_t bytes = uv_buf_init(upstream->out.data, (unsigned)upstream->out.size);
  int written = uv_try_write((uv_stream_t *)&upstream->pipe, &bytes, 1);
  if (written < 0 && written != UV_EAGAIN) {
    mc_buf_clear(&upstream->out); /* the supervisor is gone; reading says so */
    return;
  }
  mc_buf_consume(&upstream->out, written > 0 ? (size_t)written : 0);
  if (upstream->out.size)
    write_rest(upstream);
  else
    buf_reuse(&upstream->out);
}

bool mc_upstream_is_open(const mc_upstream *upstream) {
  uv_os_fd_t fd;
  struct stat stat;
  if (uv_fileno((const uv_handle_t *)&upstream->pipe, &fd))
    return true;
  return fstat(fd, &stat) == 0 && stat.st_dev == upstream->device && stat.st_ino == upstream->inode;
}

/* The loop waits for this socket, which its epoll knows by number and file: to be refused as there already is the proof
 * that neither is another one now. (fstat would not tell one epoll from another.) Not while nothing is awaited. */
bool mc_upstream_is_whole(const mc_upstream *upstream) {
  struct epoll_event event = {.events = EPOLLIN};
  uv_os_fd_t fd;
  int loop_fd = uv_backend_fd(upstream->pipe.loop);
  if (uv_fileno((const uv_handle_t *)&upstream->pipe, &fd) || !uv_is_active((const uv_handle_t *)&upstream->pipe))
    return fcntl(loop_fd, F_GETFD) >= 0;
  return epoll_ctl(loop_fd, EPOLL_CTL_ADD, fd, &event) && errno == EEXIST;
}

/* Reads no more and leaves the loop alone: plain writes on the descriptor. */
void mc_upstream_finish(mc_upstream *upstream) {
  uv_os_fd_t fd;
  if (upstream->writing || uv_fileno((uv_handle_t *)&upstream->pipe, &fd))
    return;
  while (upstream->out.size) {
    ssize_t n = write(fd, upstream->out.data, upstream->out.size);
    if (n >= 0) {
      mc_buf_consume(&upstream->out, (size_t)n);
    } else if (errno == EAGAIN) {
      struct pollfd wait = {.fd = fd, .events = POLLOUT};
      poll(&wait, 1, -1);
    } else if (errno != EINTR) {
      return; /* the supervisor is gone */
    }
  }
}

/* The worker's end of the socketpair, with this test at the other end. */
#include "worker/upstream.h"

#include "base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

typedef struct wire {
  uv_loop_t loop;
  mc_upstream upstream;
  int far; /* our end */
  int frames, writable, closed;
  uint64_t last_token;
  char why[128];
} wire;

static void on_frame(void *arg, const mc_frame *frame) {
  wire *self = arg;
  mc_frame_token token;
  self->frames++;
  assert_int_equal(mc_frame_token_decode(frame->body, &token), 0);
  self->last_token = token.token;
}

static void on_writable(void *arg) {
  ((wire *)arg)->writable++;
}

static void on_closed(void *arg, const char *why) {
  wire *self = arg;
  self->closed++;
  strncpy(self->why, why ? why : "", sizeof self->why - 1);
  uv_read_stop((uv_stream_t *)&self->upstream.pipe);
}

static int setup(void **state) {
  wire *self = mc_zalloc(sizeof *self);
  int sockets[2];
  if (socketpair(AF_UNIX, SOCK_STREAM, 0, sockets) || uv_loop_init(&self->loop))
    return -1;
  self->far = sockets[0];
  self->upstream.on_frame = on_frame;
  self->upstream.on_writable = on_writable;
  self->upstream.on_closed = on_closed;
  self->upstream.arg = self;
  *state = self;
  return mc_upstream_open(&self->upstream, &self->loop, sockets[1], NULL);
}

static int teardown(void **state) {
  wire *self = *state;
  uv_close((uv_handle_t *)&self->upstream.pipe, NULL);
  uv_close((uv_handle_t *)&self->upstream.flush, NULL);
  uv_run(&self->loop, UV_RUN_DEFAULT);
  int rc = uv_loop_close(&self->loop); /* a handle left open fails the test */
  mc_frame_reader_deinit(&self->upstream.reader);
  mc_buf_deinit(&self->upstream.out);
  mc_buf_deinit(&self->upstream.sending);
  close(self->far);
  free(self);
  return rc;
}

static void add_token(wire *self, uint64_t number) {
  mc_frame_token token = {number};
  mc_frame_token_encode(mc_upstream_out(&self->upstream), MC_FRAME_PONG, &token);
}

static void turn(wire *self) {
  uv_run(&self->loop, UV_RUN_NOWAIT);
}

static void test_frames_of_one_turn_leave_in_one_write_at_its_end(void **state) {
  wire *self = *state;
  char bytes[256];
  assert_int_equal(fcntl(self->far, F_SETFL, O_NONBLOCK), 0);
  add_token(self, 1);
  add_token(self, 2);
  assert_int_equal(recv(self->far, bytes, sizeof bytes, 0), -1);
  assert_int_equal(errno, EAGAIN);
  turn(self);
  assert_int_equal(recv(self->far, bytes, sizeof bytes, 0), 2 * (MC_FRAME_HEAD_SIZE + 8));
}

static void test_frames_come_in(void **state) {
  wire *self = *state;
  mc_buf out = {0};
  mc_frame_token token = {42};
  mc_frame_token_encode(&out, MC_FRAME_PING, &token);
  mc_frame_token_encode(&out, MC_FRAME_PING, &token);
  assert_int_equal(send(self->far, out.data, out.size - 1, 0), (ssize_t)out.size - 1);
  turn(self);
  assert_int_equal(self->frames, 1);
  assert_int_equal(send(self->far, out.data + out.size - 1, 1, 0), 1);
  turn(self);
  assert_int_equal(self->frames, 2);
  assert_int_equal(self->last_token, 42);
  mc_buf_deinit(&out);
}

static void test_results_are_due_when_there_are_many_or_they_are_old(void **state) {
  wire *self = *state;
  assert_false(mc_upstream_due(&self->upstream, UINT64_MAX));
  add_token(self, 1);
  uint64_t added_us = self->upstream.oldest_us;
  assert_false(mc_upstream_due(&self->upstream, added_us));
  assert_true(mc_upstream_due(&self->upstream, added_us + 5000));
  for (int i = 0; i < 65536 / 16; i++)
    add_token(self, 1);
  assert_true(mc_upstream_due(&self->upstream, added_us));
}

/* Reads what there is until so many bytes have come in all. */
static size_t read_some(wire *self, size_t wanted) {
  char bytes[65536];
  size_t total = 0;
  while (total < wanted) {
    ssize_t n = recv(self->far, bytes, sizeof bytes, MSG_DONTWAIT);
    if (n > 0)
      total += (size_t)n;
    else
      turn(self);
  }
  return total;
}

static void test_it_is_full_while_the_other_end_does_not_read(void **state) {
  wire *self = *state;
  size_t sent = 0;
  while (!mc_upstream_full(&self->upstream)) {
    for (int i = 0; i < 1000; i++, sent += MC_FRAME_HEAD_SIZE + 8)
      add_token(self, sent);
    turn(self);
  }
  assert_int_equal(self->writable, 0);
  assert_int_equal(read_some(self, sent), sent);
  turn(self);
  assert_int_equal(self->writable, 1);
  assert_false(mc_upstream_full(&self->upstream));
}

static void test_finish_writes_everything(void **state) {
  wire *self = *state;
  add_token(self, 9);
  mc_upstream_finish(&self->upstream);
  assert_int_equal(self->upstream.out.size, 0);
  assert_int_equal(read_some(self, MC_FRAME_HEAD_SIZE + 8), MC_FRAME_HEAD_SIZE + 8);
}

static void test_the_end_is_told_without_a_reason(void **state) {
  wire *self = *state;
  shutdown(self->far, SHUT_WR);
  turn(self);
  assert_int_equal(self->closed, 1);
  assert_string_equal(self->why, "");
}

static void test_nonsense_is_told_with_a_reason(void **state) {
  wire *self = *state;
  assert_int_equal(send(self->far, "GET / HTTP/1.1\r\n", 16, 0), 16);
  turn(self);
  assert_int_equal(self->closed, 1);
  assert_int_equal(self->frames, 0);
  assert_non_null(strstr(self->why, "a frame of version"));
}

static void test_the_descriptor_is_not_inherited(void **state) {
  wire *self = *state;
  uv_os_fd_t fd;
  assert_int_equal(uv_fileno((uv_handle_t *)&self->upstream.pipe, &fd), 0);
  assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
}

/* Puts another file in a descriptor's place while a test looks. */
static void expect_not_whole_with(wire *self, int fd, int other, bool open) {
  int kept = dup(fd);
  assert_true(kept >= 0 && other >= 0 && dup2(other, fd) == fd);
  assert_false(mc_upstream_is_whole(&self->upstream));
  assert_int_equal(mc_upstream_is_open(&self->upstream), open);
  assert_int_equal(dup2(kept, fd), fd);
  assert_true(mc_upstream_is_whole(&self->upstream));
  assert_true(mc_upstream_is_open(&self->upstream));
  close(kept);
  close(other);
}

static void test_another_file_in_place_of_ours_is_seen(void **state) {
  wire *self = *state;
  uv_os_fd_t fd;
  int loop_fd = uv_backend_fd(&self->loop), sockets[2];
  turn(self); /* it waits now */
  assert_true(mc_upstream_is_whole(&self->upstream));
  assert_int_equal(uv_fileno((uv_handle_t *)&self->upstream.pipe, &fd), 0);
  assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets), 0);
  expect_not_whole_with(self, fd, open("/dev/null", O_RDWR), false);
  expect_not_whole_with(self, fd, sockets[0], false);
  expect_not_whole_with(self, loop_fd, open("/dev/null", O_RDWR), true);
  expect_not_whole_with(self, loop_fd, epoll_create1(0), true);
  close(sockets[1]);
}

static void test_it_is_whole_when_nothing_more_is_awaited(void **state) {
  wire *self = *state;
  shutdown(self->far, SHUT_WR);
  turn(self);
  turn(self);
  assert_int_equal(self->closed, 1);
  assert_true(mc_upstream_is_whole(&self->upstream));
}

#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, setup, teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(frames_of_one_turn_leave_in_one_write_at_its_end),
      TEST(frames_come_in),
      TEST(results_are_due_when_there_are_many_or_they_are_old),
      TEST(it_is_full_while_the_other_end_does_not_read),
      TEST(finish_writes_everything),
      TEST(the_end_is_told_without_a_reason),
      TEST(nonsense_is_told_with_a_reason),
      TEST(the_descriptor_is_not_inherited),
      TEST(another_file_in_place_of_ours_is_seen),
      TEST(it_is_whole_when_nothing_more_is_awaited),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

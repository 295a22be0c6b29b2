/* The process of a worker: how it answers, and how it ends. */
#include "crew.h"

#include "worker/worker.h"

#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static const char script[] = "local crew = require 'mooncrew'\n"
                             "crew.task('sleep', { perform = function(payload) crew.sleep(payload) end })\n"
                             "crew.task('spin', { perform = function() while true do end end })\n";

static void ping_is_answered(void **state) {
  crew *self = *state;
  mc_frame_token token = {0x1122334455667788};
  crew_start(self, 1, script);
  mc_frame_token_encode(&self->out, MC_FRAME_PING, &token);
  crew_send(self);
  token.token = 0;
  assert_int_equal(mc_frame_token_decode(crew_expect(self, MC_FRAME_PONG).body, &token), 0);
  assert_int_equal(token.token, 0x1122334455667788);
}

static void it_exits_when_the_supervisor_closes_the_socket(void **state) {
  crew *self = *state;
  crew_start(self, 1, script);
  crew_send_task(self, "sleep", "3600");
  assert_int_equal(shutdown(self->socket, SHUT_WR), 0);
  assert_int_equal(crew_expect_exit(self), MC_WORKER_EXIT_DONE);
}

static void it_dies_with_its_parent(void **state) {
  crew *self = *state;
  char byte;
  struct pollfd wait;
  self->has_parent = true;
  crew_start(self, 1, script);
  crew_send_task(self, "spin", "");
  while (atomic_load(&self->page->current) == 0)
    usleep(1000);
  kill(self->pid, SIGKILL);
  wait = (struct pollfd){.fd = self->socket, .events = POLLIN};
  assert_int_equal(poll(&wait, 1, CREW_LIMIT_MS), 1);
  assert_true(recv(self->socket, &byte, 1, 0) <= 0); /* its end is closed: it is gone, in the middle of its loop */
}

static void an_error_in_a_callback_is_logged_and_the_worker_goes_on(void **state) {
  crew *self = *state;
  crew_start(self, 1,
             "local crew = require 'mooncrew'\n"
             "crew.task('leave', { perform = function()\n"
             "  require('mooncrew.host').timer_start(0, function() error 'in a callback' end)\n"
             "  crew.sleep(0.01)\n"
             "end })\n");
  crew_expect_result(self, crew_send_task(self, "leave", ""), MC_OUTCOME_DONE);
  crew_expect_result(self, crew_send_task(self, "leave", ""), MC_OUTCOME_DONE);
  assert_holds(mc_slice_of(crew_log(self)), "\"event\":\"error outside of any task\",\"worker\":1");
  assert_holds(mc_slice_of(crew_log(self)), "scripts/tasks.lua:3: in a callback");
}

static void a_malformed_stream_ends_it_with_a_reason(void **state) {
  crew *self = *state;
  crew_start(self, 1, script);
  mc_buf_add(&self->out, "\0\0\0\0\x7f\2\0\0", 8);
  crew_send(self);
  assert_int_equal(crew_expect_exit(self), EXIT_FAILURE);
  assert_holds(mc_slice_of(crew_log(self)), "a frame of version 127");
}

static void children_of_handlers_inherit_neither_socket_nor_page(void **state) {
  crew *self = *state;
  crew_start(self, 1,
             "require('mooncrew').task('fds', { perform = function()\n"
             "  local pipe = io.popen('for f in /proc/self/fd/*; do readlink $f; done')\n"
             "  local text = pipe:read('*a')\n"
             "  pipe:close()\n"
             "  return { text:find('socket:') ~= nil, text:find('memfd') ~= nil }\n"
             "end })\n");
  assert_text(crew_expect_result(self, crew_send_task(self, "fds", ""), MC_OUTCOME_DONE).text, "[false,false]");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      crew_test(ping_is_answered),
      crew_test(it_exits_when_the_supervisor_closes_the_socket),
      crew_test(it_dies_with_its_parent),
      crew_test(an_error_in_a_callback_is_logged_and_the_worker_goes_on),
      crew_test(a_malformed_stream_ends_it_with_a_reason),
      crew_test(children_of_handlers_inherit_neither_socket_nor_page),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

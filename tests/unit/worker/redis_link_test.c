/* A handler's connection to a real Redis: how batches end, and that nothing is left on the loop. */
#include "worker/redis_link.h"

#include "base/mem.h"
#include "../support/redis_server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>

typedef struct world {
  uv_loop_t loop;
  redis_server *server;
  mc_redis_link *link;
} world;

typedef struct outcome {
  int replies, ends, status;
  int64_t integer; /* of the last reply that was one */
} outcome;

static void on_reply(void *arg, const mc_value *reply) {
  outcome *self = arg;
  assert_int_equal(self->ends, 0);
  self->replies++;
  if (reply->kind == MC_VALUE_INTEGER)
    self->integer = reply->integer;
}

static void on_end(void *arg, int status, const char *reason) {
  outcome *self = arg;
  assert_int_equal(reason != NULL, status != 0);
  self->ends++;
  self->status = status;
}

static mc_redis_link *open_link(world *self, bool once) {
  mc_redis_link_options options = {.connect_timeout_ms = 20000, .command_timeout_ms = 20000, .once = once};
  mc_redis_link *link;
  assert_int_equal(mc_redis_link_open(&self->loop, redis_server_url(self->server), &options, &link, NULL), 0);
  return link;
}

static int setup(void **state) {
  world *self = mc_zalloc(sizeof *self);
  if (uv_loop_init(&self->loop))
    return -1;
  self->server = redis_server_start(NULL);
  self->link = open_link(self, false);
  *state = self;
  return 0;
}

static int teardown(void **state) {
  world *self = *state;
  if (self->link)
    mc_redis_link_close(self->link);
  uv_run(&self->loop, UV_RUN_DEFAULT);
  int rc = uv_loop_close(&self->loop); /* a handle left open fails the test */
  redis_server_stop(self->server);
  free(self);
  return rc;
}

static uint64_t send_batch(mc_redis_link *link, outcome *out, size_t count, const char *name, const char *key) {
  mc_args *commands = mc_zalloc(count * sizeof *commands);
  for (size_t i = 0; i < count; i++) {
    mc_args_add_text(&commands[i], name);
    mc_args_add_text(&commands[i], key);
  }
  mc_redis_batch_events events = {on_reply, on_end, out};
  *out = (outcome){0};
  uint64_t number = mc_redis_link_send(link, commands, count, &events);
  assert_int_equal(out->ends, 0); /* never from inside */
  return number;
}

static void run_until_end(world *self, const outcome *out) {
  while (!out->ends)
    uv_run(&self->loop, UV_RUN_ONCE);
}

static void sends_what_was_given_before_it_was_ready(void **state) {
  world *self = *state;
  outcome first, second;
  send_batch(self->link, &first, 3, "INCR", "n");
  send_batch(self->link, &second, 1, "INCR", "n");
  run_until_end(self, &second);
  assert_int_equal(first.status, 0);
  assert_int_equal(first.replies, 3);
  assert_int_equal(first.integer, 3);
  assert_int_equal(second.integer, 4);
}

static void drops_the_replies_of_a_forgotten_batch(void **state) {
  world *self = *state;
  outcome unsent, warm, sent, after;
  void *arg;
  uint64_t number = send_batch(self->link, &unsent, 2, "INCR", "n");
  assert_true(mc_redis_link_forget(self->link, number, &arg));
  assert_ptr_equal(arg, &unsent);
  assert_false(mc_redis_link_forget(self->link, number, &arg));
  send_batch(self->link, &warm, 1, "INCR", "n");
  run_until_end(self, &warm);
  assert_int_equal(warm.integer, 1); /* the first was never sent */
  number = send_batch(self->link, &sent, 2, "INCR", "n");
  send_batch(self->link, &after, 1, "INCR", "n");
  assert_true(mc_redis_link_forget(self->link, number, &arg));
  run_until_end(self, &after);
  assert_int_equal(after.integer, 4); /* the second was */
  assert_int_equal(unsent.ends + sent.ends + sent.replies, 0);
}

static void tells_what_was_sent_from_what_was_not(void **state) {
  world *self = *state;
  outcome warm, sent, unsent;
  send_batch(self->link, &warm, 1, "INCR", "n");
  run_until_end(self, &warm);
  redis_server_freeze(self->server);
  send_batch(self->link, &sent, 2, "INCR", "n");
  uv_run(&self->loop, UV_RUN_NOWAIT);
  redis_server_thaw(self->server);
  redis_server_kill(self->server);
  run_until_end(self, &sent);
  if (sent.status != 0) /* it may have answered before it died */
    assert_int_equal(sent.status, MC_EUNKNOWN);
  send_batch(self->link, &unsent, 1, "INCR", "n");
  run_until_end(self, &unsent);
  assert_true(unsent.status == MC_EUNAVAILABLE || unsent.status == MC_EUNKNOWN);
  redis_server_resume(self->server);
  do {
    send_batch(self->link, &unsent, 1, "PING", "again");
    run_until_end(self, &unsent);
  } while (unsent.status != 0);
}

static void lives_once_when_asked_to(void **state) {
  world *self = *state;
  outcome warm, lost;
  mc_redis_link *once = open_link(self, true);
  send_batch(once, &warm, 1, "INCR", "n");
  run_until_end(self, &warm);
  redis_server_freeze(self->server);
  send_batch(once, &lost, 1, "INCR", "n");
  uv_run(&self->loop, UV_RUN_NOWAIT);
  redis_server_kill(self->server);
  run_until_end(self, &lost);
  assert_int_equal(lost.status, MC_EUNKNOWN);
  assert_true(mc_redis_link_is_over(once));
  mc_redis_link_close(once);
}

static void ends_what_waits_when_it_is_closed(void **state) {
  world *self = *state;
  outcome unsent;
  send_batch(self->link, &unsent, 1, "INCR", "n");
  mc_redis_link_close(self->link);
  self->link = NULL;
  assert_int_equal(unsent.ends, 0);
  run_until_end(self, &unsent);
  assert_int_equal(unsent.status, MC_EUNAVAILABLE);
}

static void reports_nothing_when_it_is_dropped(void **state) {
  world *self = *state;
  outcome unsent;
  send_batch(self->link, &unsent, 1, "INCR", "n");
  mc_redis_link_drop(self->link);
  self->link = NULL;
  uv_run(&self->loop, UV_RUN_DEFAULT);
  assert_int_equal(unsent.ends, 0);
}

int main(void) {
#define LINK_TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
  const struct CMUnitTest tests[] = {
      LINK_TEST(sends_what_was_given_before_it_was_ready), LINK_TEST(drops_the_replies_of_a_forgotten_batch),
      LINK_TEST(tells_what_was_sent_from_what_was_not),    LINK_TEST(lives_once_when_asked_to),
      LINK_TEST(ends_what_waits_when_it_is_closed),        LINK_TEST(reports_nothing_when_it_is_dropped),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

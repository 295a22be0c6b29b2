/* Dispatch: from the reply of a dequeue to a worker, or back. */
#include "lone_node.h"

#include <stdlib.h>
#include <unistd.h>

#include "supervisor/dispatch.h"

static void add_pending(const char *id) {
  mc_buf bytes = {0};
  mc_message message = {.type = mc_slice_of("kind"), .id = mc_slice_of(id), .queue = mc_slice_of("default")};
  mc_message_encode(&message, &bytes);
  lone_ask("HSET asynq:{default}:t:%s msg %b state pending pending_since 1", id, bytes.data, bytes.size);
  lone_ask("LPUSH asynq:{default}:pending %s", id);
  mc_buf_deinit(&bytes);
}

static void ask(lone_node *lone) {
  mc_dispatch_run(&lone->node);
  assert_true(mc_pool_asked(&lone->node.pool) > 0);
  mc_conn_flush(lone->node.link.commands);
}

/* How many TASK frames went to the worker. */
static int frames_sent(lone_node *lone) {
  mc_frame_reader reader = {0};
  mc_frame frame;
  int count = 0;
  mc_frame_reader_feed(&reader, lone->worker.channel.out.data, lone->worker.channel.out.size);
  while (mc_frame_reader_next(&reader, &frame, NULL) == 1)
    count += frame.type == MC_FRAME_TASK;
  mc_frame_reader_deinit(&reader);
  return count;
}

static void tasks_go_to_the_worker(void **state) {
  lone_node *lone = *state;
  add_pending("a");
  add_pending("b");
  ask(lone);
  LONE_UNTIL(lone, lone->worker.held_count == 2);
  assert_int_equal(frames_sent(lone), 2);
  assert_int_equal(mc_pool_asked(&lone->node.pool), 0);
}

static void what_cannot_be_decoded_is_archived(void **state) {
  lone_node *lone = *state;
  lone_ask("HSET asynq:{default}:t:a msg junk state pending");
  lone_ask("LPUSH asynq:{default}:pending a");
  add_pending("b");
  ask(lone);
  LONE_UNTIL(lone, lone->worker.held_count == 1 && lone->node.held.count == 1);
  assert_redis("archived junk", "HMGET asynq:{default}:t:a state msg");
  assert_redis("1", "HEXISTS asynq:{default}:t:a mc_error");
}

/* We stand still for 10 s before the reply is read: by then others may have recovered its tasks. */
static void nothing_is_started_from_a_reply_that_lay_unread_for_long(void **state) {
  lone_node *lone = *state;
  add_pending("ours");
  add_pending("taken");
  ask(lone);
  usleep(10100 * 1000);
  lone_ask("HSET asynq:{default}:t:taken mc_owner other:1:node:7");
  LONE_UNTIL(lone, mc_pool_asked(&lone->node.pool) == 0);
  LONE_SETTLED(lone);
  assert_int_equal(frames_sent(lone), 0);
  assert_redis("ours", "LRANGE asynq:{default}:pending 0 -1");
  assert_redis("taken", "LRANGE asynq:{default}:active 0 -1");
  assert_true(lone_logged(lone, "\"task requeued\"", "\"task_id\":\"ours\"", NULL));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      lone_test(tasks_go_to_the_worker),
      lone_test(what_cannot_be_decoded_is_archived),
      lone_test(nothing_is_started_from_a_reply_that_lay_unread_for_long),
  };
  return cmocka_run_group_tests(tests, lone_group_start, lone_group_stop);
}

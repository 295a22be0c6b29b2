/* Settling: lanes and batches, what happens to what was sent and not answered, and what Redis will not take. */
#include "lone_node.h"

#include <stdio.h>

#include "supervisor/outcome.h"

static mc_settle_lane *lane_of(lone_node *lone, mc_settle_kind kind) {
  return &lone->node.queues.items[0]->settling[kind];
}

static void flush(lone_node *lone) {
  mc_settle_flush(&lone->node);
}

/* Holds tasks 1 … count; the id and the attempt of each are its number. */
static void hold_numbers(lone_node *lone, mc_held **held, size_t count) {
  char id[16];
  for (size_t i = 0; i < count; i++) {
    snprintf(id, sizeof id, "%zu", i + 1);
    held[i] = lone_hold_plain(lone, id);
  }
}

static void a_lone_task_is_settled_at_once(void **state) {
  lone_node *lone = *state;
  mc_held *held = lone_hold_plain(lone, "a");
  mc_settle_add(&lone->node, held, MC_SETTLE_COMPLETE);
  assert_int_equal(lone->worker.held_count, 0);
  flush(lone);
  assert_int_equal(lane_of(lone, MC_SETTLE_COMPLETE)->calls, 1);
  assert_int_equal(lone->node.held.count, 1); /* until Redis has answered */
  LONE_SETTLED(lone);
  assert_redis("0", "EXISTS asynq:{default}:t:a asynq:{default}:active asynq:{default}:lease");
  assert_redis("1", "GET asynq:{default}:processed");
  assert_true(lone_logged(lone, "\"processed task\"", "\"task_id\":\"a\"", NULL));
}

static void while_a_call_is_in_flight_the_next_ones_gather(void **state) {
  lone_node *lone = *state;
  mc_held *held[4];
  mc_settle_lane *lane = lane_of(lone, MC_SETTLE_COMPLETE);
  hold_numbers(lone, held, 4);
  mc_settle_add(&lone->node, held[0], MC_SETTLE_COMPLETE);
  flush(lone);
  for (int i = 1; i < 4; i++)
    mc_settle_add(&lone->node, held[i], MC_SETTLE_COMPLETE);
  flush(lone);
  assert_int_equal(lane->calls, 1);
  assert_int_equal(lane->count, 3);
  LONE_UNTIL(lone, lane->calls == 0);
  flush(lone);
  assert_int_equal(lane->calls, 1);
  assert_int_equal(lane->count, 0);
  LONE_SETTLED(lone);
  assert_redis("4", "GET asynq:{default}:processed");
}

static void a_full_batch_waits_for_nothing(void **state) {
  lone_node *lone = *state;
  static mc_held *held[MC_SETTLE_BATCH + 2];
  mc_settle_lane *lane = lane_of(lone, MC_SETTLE_COMPLETE);
  hold_numbers(lone, held, MC_SETTLE_BATCH + 2);
  mc_settle_add(&lone->node, held[0], MC_SETTLE_COMPLETE);
  flush(lone);
  for (size_t i = 1; i < MC_SETTLE_BATCH + 2; i++)
    mc_settle_add(&lone->node, held[i], MC_SETTLE_COMPLETE);
  flush(lone);
  assert_int_equal(lane->calls, 2);
  assert_int_equal(lane->count, 1);
  LONE_SETTLED(lone);
  assert_redis("502", "GET asynq:{default}:processed");
  assert_redis("0", "EXISTS asynq:{default}:active asynq:{default}:lease");
}

static void kinds_do_not_wait_for_one_another(void **state) {
  lone_node *lone = *state;
  mc_held *held[2];
  hold_numbers(lone, held, 2);
  mc_settle_add(&lone->node, held[0], MC_SETTLE_COMPLETE);
  mc_settle_add(&lone->node, held[1], MC_SETTLE_REQUEUE);
  flush(lone);
  assert_int_equal(lane_of(lone, MC_SETTLE_COMPLETE)->calls, 1);
  assert_int_equal(lane_of(lone, MC_SETTLE_REQUEUE)->calls, 1);
  LONE_SETTLED(lone);
}

/* Where an id stands in `active` is told by its attempt. */
static void each_id_is_looked_for_from_its_nearer_end(void **state) {
  lone_node *lone = *state;
  mc_held *held[5];
  hold_numbers(lone, held, 5);
  static const int order[] = {4, 0, 3, 1};
  static const bool near_head[] = {true, false, true, false};
  for (int i = 0; i < 4; i++) {
    mc_settle_add(&lone->node, held[order[i]], MC_SETTLE_COMPLETE);
    assert_int_equal(held[order[i]]->item.near_head, near_head[i]);
  }
  LONE_UNTIL(lone, lone->node.held.count == 1);
  assert_redis("3", "LRANGE asynq:{default}:active 0 -1");
}

/* ---- requeue ---- */

static void requeue_in(lone_node *lone, mc_held **held, const int *order, int count) {
  for (int i = 0; i < count; i++)
    mc_settle_add(&lone->node, held[order[i]], MC_SETTLE_REQUEUE);
}

static void tasks_go_back_in_the_order_they_came_in(void **state) {
  lone_node *lone = *state;
  mc_held *held[5];
  static const int order[] = {2, 0, 4, 1, 3};
  hold_numbers(lone, held, 5);
  requeue_in(lone, held, order, 5);
  LONE_SETTLED(lone);
  assert_redis("5 4 3 2 1", "LRANGE asynq:{default}:pending 0 -1");
  assert_true(lone_logged(lone, "\"task requeued\"", "\"task_id\":\"3\"", NULL));
}

static void so_they_do_one_by_one(void **state) {
  lone_node *lone = *state;
  mc_held *held[5];
  static const int order[] = {2, 0, 4, 1, 3};
  hold_numbers(lone, held, 5);
  requeue_in(lone, held, order, 5);
  lone->node.settle.one_by_one = true;
  flush(lone);
  assert_int_equal(lane_of(lone, MC_SETTLE_REQUEUE)->calls, 1);
  assert_int_equal(lane_of(lone, MC_SETTLE_REQUEUE)->count, 4);
  LONE_SETTLED(lone);
  assert_redis("5 4 3 2 1", "LRANGE asynq:{default}:pending 0 -1");
}

static void so_they_do_after_a_lost_connection(void **state) {
  lone_node *lone = *state;
  mc_held *held[4];
  static const int first[] = {3, 1}, then[] = {2, 0};
  lone_relay(lone, &(relay_rule){.command = "EVALSHA", .action = RELAY_SWALLOW, .times = 1}, 1);
  hold_numbers(lone, held, 4);
  requeue_in(lone, held, first, 2);
  flush(lone);
  requeue_in(lone, held, then, 2);
  LONE_SETTLED(lone);
  assert_redis("4 3 2 1", "LRANGE asynq:{default}:pending 0 -1");
}

/* ---- what is refused ---- */

static void a_task_of_another_is_left_alone_and_the_refusal_logged(void **state) {
  lone_node *lone = *state;
  mc_held *held[2];
  hold_numbers(lone, held, 2);
  lone_ask("HSET asynq:{default}:t:1 mc_owner other:1:node:7");
  mc_settle_add(&lone->node, held[0], MC_SETTLE_COMPLETE);
  mc_settle_add(&lone->node, held[1], MC_SETTLE_COMPLETE);
  LONE_SETTLED(lone);
  assert_redis("1", "LRANGE asynq:{default}:active 0 -1");
  assert_redis("1", "GET asynq:{default}:processed");
  assert_true(lone_logged(lone, "\"result refused\"", "\"task_id\":\"1\"", NULL));
  assert_true(lone_logged(lone, "\"processed task\"", "\"task_id\":\"2\"", NULL));
  assert_false(lone_logged(lone, "\"processed task\"", "\"task_id\":\"1\"", NULL));
}

static void of_two_attempts_in_hand_only_the_owner_counts(void **state) {
  lone_node *lone = *state;
  mc_held *old = lone_hold_plain(lone, "a");
  lone_ask("DEL asynq:{default}:active asynq:{default}:lease asynq:{default}:t:a");
  mc_held *new = lone_hold_plain(lone, "a");
  old->duration_us = 1000, new->duration_us = 2000;
  old->outcome = new->outcome = MC_OUTCOME_DONE;
  mc_settle_add(&lone->node, old, MC_SETTLE_COMPLETE);
  mc_settle_add(&lone->node, new, MC_SETTLE_COMPLETE);
  LONE_SETTLED(lone);
  assert_true(lone_logged(lone, "\"result refused\"", "\"duration_ms\":1.000", NULL));
  assert_true(lone_logged(lone, "\"processed task\"", "\"duration_ms\":2.000", NULL));
  assert_redis("1", "GET asynq:{default}:processed");
}

/* ---- what was sent and not answered ---- */

static void a_lost_answer_is_asked_for_again_and_nothing_done_twice(void **state) {
  lone_node *lone = *state;
  mc_held *held[2];
  lone_relay(lone, &(relay_rule){.command = "EVALSHA", .action = RELAY_CUT, .times = 1}, 1);
  hold_numbers(lone, held, 2);
  mc_settle_add(&lone->node, held[0], MC_SETTLE_COMPLETE);
  mc_settle_add(&lone->node, held[1], MC_SETTLE_COMPLETE);
  LONE_SETTLED(lone);
  assert_int_equal(lone->ready, 3);
  assert_redis("2", "GET asynq:{default}:processed");
  assert_true(lone_logged(lone, "\"processed task\"", "\"task_id\":\"1\"", "its confirmation was lost", NULL));
  assert_false(lone_logged(lone, "\"result refused\"", NULL));
}

static void a_call_that_never_arrived_is_sent_again(void **state) {
  lone_node *lone = *state;
  lone_relay(lone, &(relay_rule){.command = "EVALSHA", .action = RELAY_SWALLOW, .times = 1}, 1);
  mc_settle_add(&lone->node, lone_hold_plain(lone, "a"), MC_SETTLE_COMPLETE);
  LONE_SETTLED(lone);
  assert_redis("1", "GET asynq:{default}:processed");
  assert_false(lone_logged(lone, "its confirmation was lost", NULL));
}

/* ---- errors ---- */

static void an_error_that_will_pass_is_waited_out_and_said_once(void **state) {
  lone_node *lone = *state;
  const relay_rule rule = {
      .command = "EVALSHA", .action = RELAY_ANSWER, .answer = "-READONLY You can't write\r\n", .times = 2};
  lone_relay(lone, &rule, 1);
  mc_settle_add(&lone->node, lone_hold_plain(lone, "a"), MC_SETTLE_COMPLETE);
  LONE_UNTIL(lone, lone->node.settle.refusing);
  assert_true(lone_logged(lone, "\"redis refuses to settle\"", "READONLY", NULL));
  assert_int_equal(lone->node.settle.waiting, 1);
  LONE_SETTLED(lone);
  assert_true(lone_logged(lone, "\"redis settles again\"", NULL));
  assert_redis("1", "GET asynq:{default}:processed");
}

static void one_odd_task_holds_up_no_other(void **state) {
  lone_node *lone = *state;
  mc_held *held[3];
  const relay_rule rule = {.command = "EVALSHA", .action = RELAY_ANSWER, .answer = "-ERR odd\r\n", .times = 2};
  lone_relay(lone, &rule, 1);
  hold_numbers(lone, held, 3);
  for (int i = 0; i < 3; i++)
    mc_settle_add(&lone->node, held[i], MC_SETTLE_COMPLETE);
  LONE_SETTLED(lone);
  /* The batch was refused, then its first task alone; the others went through. */
  assert_redis("2", "GET asynq:{default}:processed");
  assert_redis("1", "LRANGE asynq:{default}:active 0 -1");
  assert_true(lone_logged(lone, "\"task cannot be settled\"", "\"task_id\":\"1\"", "ERR odd", NULL));
  assert_false(lone->node.settle.one_by_one);
}

static void what_cannot_be_retried_is_archived_with_the_reason(void **state) {
  lone_node *lone = *state;
  const relay_rule rule = {.command = "EVALSHA", .action = RELAY_ANSWER, .answer = "-ERR odd\r\n", .times = 1};
  lone_relay(lone, &rule, 1);
  mc_outcome_fail(&lone->node, lone_hold_plain(lone, "a"), mc_slice_of("not today"), 0);
  LONE_SETTLED(lone);
  assert_redis("archived", "HGET asynq:{default}:t:a state");
  mc_message_box box = lone_message("a");
  assert_true(mc_slice_equal(box.message.error_msg, mc_slice_of("its outcome could not be written: ERR odd")));
  assert_int_equal(box.message.retried, 0);
  mc_message_free(&box);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      lone_test(a_lone_task_is_settled_at_once),
      lone_test(while_a_call_is_in_flight_the_next_ones_gather),
      lone_test(a_full_batch_waits_for_nothing),
      lone_test(kinds_do_not_wait_for_one_another),
      lone_test(each_id_is_looked_for_from_its_nearer_end),
      lone_test(tasks_go_back_in_the_order_they_came_in),
      lone_test(so_they_do_one_by_one),
      lone_test(so_they_do_after_a_lost_connection),
      lone_test(a_task_of_another_is_left_alone_and_the_refusal_logged),
      lone_test(of_two_attempts_in_hand_only_the_owner_counts),
      lone_test(a_lost_answer_is_asked_for_again_and_nothing_done_twice),
      lone_test(a_call_that_never_arrived_is_sent_again),
      lone_test(an_error_that_will_pass_is_waited_out_and_said_once),
      lone_test(one_odd_task_holds_up_no_other),
      lone_test(what_cannot_be_retried_is_archived_with_the_reason),
  };
  return cmocka_run_group_tests(tests, lone_group_start, lone_group_stop);
}

/* server/dequeue.lua against a real Redis. */
#include "queue.h"

#include <stdio.h>

static const char *dequeue(size_t count, uint64_t first_attempt) {
  mc_call call = {0};
  mc_call_dequeue(&call, mc_slice_of("q"), mc_slice_of("h:1:u"), first_attempt, count, LEASE_S);
  return queue_call(&call);
}

static void a_batch_leaves_from_the_head_and_is_leased(void **state) {
  (void)state;
  queue_give("a b c");
  assert_string_equal(queue_take(2, 1), "a b");
  assert_redis("c", "LRANGE asynq:{q}:pending 0 -1");
  assert_redis("b a", "LRANGE asynq:{q}:active 0 -1");
  assert_redis("a 1700000030 b 1700000030", "ZRANGE asynq:{q}:lease 0 -1 WITHSCORES");
  assert_string_equal(queue_take(5, 3), "c");
  assert_redis("c b a", "LRANGE asynq:{q}:active 0 -1");
  assert_redis("0", "EXISTS asynq:{q}:pending");
}

static void a_task_taken_is_as_asynq_writes_it_with_its_owner_beside(void **state) {
  (void)state;
  queue_give("a b");
  dequeue(2, 9007199254740000);
  assert_string_equal(queue_fields("a"), "mc_owner msg state");
  assert_redis("active h:1:u:9007199254740000", "HMGET asynq:{q}:t:a state mc_owner");
  assert_redis("h:1:u:9007199254740001", "HGET asynq:{q}:t:b mc_owner");
}

static void messages_and_crashes_come_with_the_ids(void **state) {
  (void)state;
  mc_call call = {0};
  mc_dequeued dequeued;
  mc_dequeued_task task;
  queue_give("a b c");
  queue_ask("HSET asynq:{q}:t:b mc_crashes 2");
  queue_ask("HSET asynq:{q}:t:a msg %b", "x\0y", (size_t)3);
  mc_call_dequeue(&call, mc_slice_of("q"), mc_slice_of("s"), 1, 10, LEASE_S);
  assert_int_equal(mc_dequeued_read(queue_call_value(&call), &dequeued, NULL), 0);
  assert_int_equal(dequeued.count, 3);
  assert_int_equal(dequeued.wait, MC_WAIT_TASKS);
  assert_int_equal(mc_dequeued_task_at(&dequeued, 0, &task), 0);
  assert_int_equal(task.message.size, 3);
  assert_memory_equal(task.message.data, "x\0y", 3);
  assert_int_equal(task.crashes, 0);
  assert_int_equal(mc_dequeued_task_at(&dequeued, 1, &task), 0);
  assert_int_equal(task.crashes, 2);
  assert_int_equal(mc_dequeued_task_at(&dequeued, 2, &task), 0);
  assert_int_equal(task.crashes, 0);
  assert_int_equal(mc_dequeued_task_at(&dequeued, 3, &task), MC_EMALFORMED);
}

static void a_paused_queue_gives_nothing(void **state) {
  (void)state;
  queue_give("a");
  queue_ask("SET asynq:{q}:paused 1");
  assert_string_equal(dequeue(1, 1), "1 [] [] [] []");
  assert_redis("a", "LRANGE asynq:{q}:pending 0 -1");
}

static void an_empty_queue_gives_nothing(void **state) {
  (void)state;
  assert_string_equal(dequeue(1, 1), "0 [] [] [] []");
  assert_redis("0", "DBSIZE");
}

static void ids_without_a_hash_are_dropped_and_named(void **state) {
  (void)state;
  mc_call call = {0};
  mc_dequeued dequeued;
  queue_give("a b c d");
  queue_ask("DEL asynq:{q}:t:a asynq:{q}:t:c");
  queue_ask("SET asynq:{q}:t:c text");
  mc_call_dequeue(&call, mc_slice_of("q"), mc_slice_of("s"), 5, 10, LEASE_S);
  assert_int_equal(mc_dequeued_read(queue_call_value(&call), &dequeued, NULL), 0);
  assert_int_equal(dequeued.count, 2);
  assert_int_equal(dequeued.missing_count, 2);
  assert_memory_equal(mc_dequeued_missing_at(&dequeued, 0).data, "a", 1);
  assert_memory_equal(mc_dequeued_missing_at(&dequeued, 1).data, "c", 1);
  assert_redis("0", "EXISTS asynq:{q}:pending");
  assert_redis("d b", "LRANGE asynq:{q}:active 0 -1");
  assert_redis("text", "GET asynq:{q}:t:c");
  assert_redis("s:5", "HGET asynq:{q}:t:b mc_owner");
  assert_redis("s:6", "HGET asynq:{q}:t:d mc_owner");
}

static void a_batch_of_missing_ids_alone_empties_the_queue(void **state) {
  (void)state;
  queue_ask("LPUSH asynq:{q}:pending a b");
  assert_string_equal(dequeue(5, 1), "0 [] [a b] [] []");
  assert_redis("0", "DBSIZE");
}

static void a_hash_without_msg_is_handed_out_with_an_empty_message(void **state) {
  (void)state;
  queue_ask("LPUSH asynq:{q}:pending a");
  queue_ask("HSET asynq:{q}:t:a result 1");
  assert_string_equal(dequeue(1, 1), "0 [a ] [] [] []");
  assert_redis("active", "HGET asynq:{q}:t:a state");
  assert_redis("a", "LRANGE asynq:{q}:active 0 -1");
}

static void keys_of_another_type_fail_the_call_and_lose_nothing(void **state) {
  (void)state;
  static const char *const keys[] = {"active", "lease"};
  for (size_t i = 0; i < 2; i++) {
    queue_clear(state);
    queue_give("a b");
    queue_ask("SET asynq:{q}:%s x", keys[i]);
    assert_non_null(strstr(dequeue(2, 1), "WRONGTYPE"));
    assert_redis("b a", "LRANGE asynq:{q}:pending 0 -1");
    assert_string_equal(queue_fields("a"), "msg pending_since state");
    assert_redis("x", "GET asynq:{q}:%s", keys[i]);
    assert_redis("4", "DBSIZE");
  }
}

static void a_full_redis_can_be_worked_off(void **state) {
  (void)state;
  queue_give("a b");
  queue_ask("CONFIG SET maxmemory 1");
  assert_string_equal(queue_take(1, 1), "a");
  assert_redis("a", "LRANGE asynq:{q}:active 0 -1");
  assert_redis("b", "LRANGE asynq:{q}:pending 0 -1");
  assert_redis("a 1700000030", "ZRANGE asynq:{q}:lease 0 -1 WITHSCORES");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      queue_test(a_batch_leaves_from_the_head_and_is_leased),
      queue_test(a_task_taken_is_as_asynq_writes_it_with_its_owner_beside),
      queue_test(messages_and_crashes_come_with_the_ids),
      queue_test(a_paused_queue_gives_nothing),
      queue_test(an_empty_queue_gives_nothing),
      queue_test(ids_without_a_hash_are_dropped_and_named),
      queue_test(a_batch_of_missing_ids_alone_empties_the_queue),
      queue_test(a_hash_without_msg_is_handed_out_with_an_empty_message),
      queue_test(keys_of_another_type_fail_the_call_and_lose_nothing),
      queue_test(a_full_redis_can_be_worked_off),
  };
  return cmocka_run_group_tests(tests, queue_start, queue_stop);
}

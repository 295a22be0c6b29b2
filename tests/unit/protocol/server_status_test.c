/* What a server tells of itself: read as it was written, and nothing where no server of ours wrote. */
#include "protocol/server_status.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>

#include "base/mem.h"

/* The reply to HGETALL after an HSET: its arguments behind the key. */
struct reply {
  mc_value value, items[64];
  const mc_value *pointers[64];
};

static void reply_to(struct reply *reply, const mc_args *hset) {
  *reply = (struct reply){.value = {.kind = MC_VALUE_ARRAY, .items = (void *)reply->pointers}};
  for (size_t i = 2; i < hset->count; i++) {
    reply->items[i] = (mc_value){.kind = MC_VALUE_STRING, .text = mc_args_at(hset, i)};
    reply->pointers[i - 2] = &reply->items[i];
  }
  reply->value.count = hset->count - 2;
}

static void test_it_is_read_as_it_was_written(void **state) {
  (void)state;
  mc_pool_status pools[] = {{MC_SLICE_LITERAL("cpu"), 2, 1, 3, 4}, {MC_SLICE_LITERAL("io"), 1, 1, 500, 17}};
  mc_server_status status = {.generation = 7,
                             .loaded_at_ms = 1700000000123,
                             .draining = 2,
                             .asked = 9,
                             .answered = 8,
                             .error = MC_SLICE_LITERAL("a.lua:3: it is broken"),
                             .refused_at_ms = 5,
                             .patterns = MC_SLICE_LITERAL("tenant:*,shop:*"),
                             .pools = pools,
                             .pool_count = 2};
  mc_args hset = {0};
  struct reply reply;
  mc_server_status read;
  mc_server_status_encode(&status, mc_slice_of("h:1:u"), &hset);
  assert_true(mc_slice_equal(mc_args_at(&hset, 1), mc_slice_of("asynq:mc_servers:{h:1:u}")));
  reply_to(&reply, &hset);
  assert_true(mc_server_status_read(&reply.value, &read));
  assert_int_equal(read.generation, 7);
  assert_int_equal(read.loaded_at_ms, 1700000000123);
  assert_int_equal(read.draining, 2);
  assert_int_equal(read.asked, 9);
  assert_int_equal(read.answered, 8);
  assert_int_equal(read.refused_at_ms, 5);
  assert_true(mc_slice_equal(read.error, status.error));
  assert_true(mc_slice_equal(read.patterns, status.patterns));
  assert_int_equal(read.pool_count, 2);
  assert_true(mc_slice_equal(read.pools[1].name, mc_slice_of("io")));
  assert_int_equal(read.pools[0].serving, 1);
  assert_int_equal(read.pools[0].concurrency, 3);
  assert_int_equal(read.pools[1].busy, 17);
  free(read.pools);
  mc_args_deinit(&hset);
}

static void test_nothing_and_nonsense_are_no_status(void **state) {
  (void)state;
  mc_args hset = {0};
  struct reply reply;
  mc_server_status read;
  reply.value = (mc_value){.kind = MC_VALUE_ARRAY};
  assert_false(mc_server_status_read(&reply.value, &read));
  const char *words[] = {"HSET", "key", "generation", "x", "pool:a", "1 2", "pool:", "", "odd"};
  for (size_t i = 0; i < MC_COUNT(words); i++)
    mc_args_add_text(&hset, words[i]);
  reply_to(&reply, &hset);
  assert_false(mc_server_status_read(&reply.value, &read));
  mc_args_deinit(&hset);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_it_is_read_as_it_was_written),
      cmocka_unit_test(test_nothing_and_nonsense_are_no_status),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Named pools as text: what parses, what is refused and how it says where, and what a pool has that was not given. */
#include "config/pools.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define BOTH                                                                                                           \
  "io: concurrency=500 cpu: workers=2 concurrency=1 memory_limit=256M strict=true "                                    \
  "queues=image=3/archive_max_size=7,video=1"

static void test_a_text_shows_as_it_was_parsed(void **state) {
  (void)state;
  mc_config_pool *pools;
  size_t count;
  mc_err err;
  mc_buf shown = {0};
  assert_int_equal(mc_pools_parse(" io:\tconcurrency=500  cpu: workers=2 concurrency=1 memory_limit=256M strict=yes "
                                  "queues=image=3/archive_max_size=7,video\n",
                                  &pools, &count, &err),
                   0);
  assert_int_equal(count, 2);
  mc_pools_show(pools, count, &shown);
  assert_true(mc_slice_equal(mc_buf_slice(&shown), mc_slice_of(BOTH)));
  mc_buf_deinit(&shown);
  mc_pools_free(pools, count);
}

static void test_what_is_refused_is_named_by_its_path(void **state) {
  (void)state;
  static const struct {
    const char *text, *message;
  } refused[] = {
      {"workers=1", "pools: 'workers=1' is not understood"},
      {"cpu workers=1", "pools: 'cpu' is not understood"},
      {"Cpu: workers=1", "pools: 'Cpu' is no name of a pool"},
      {": workers=1", "pools: '' is no name of a pool"},
      {"a123456789012345678901234567890123: workers=1", "is no name of a pool"},
      {"cpu: workers=1 io: cpu:", "pools.cpu: is there twice"},
      {"cpu: wrokers=1", "pools.cpu.wrokers: a pool has no such setting: did you mean 'workers'?"},
      {"cpu: redis=x", "pools.cpu.redis: a pool has no such setting: it may have workers, "},
      {"cpu: workers=0", "pools.cpu.workers: must be a whole number from 1 to 256, not '0'"},
      {"cpu: workers=", "pools.cpu.workers: must be a whole number"},
      {"cpu: workers=1 workers=1", "pools.cpu.workers: is given twice"},
      {"cpu: memory_limit=much", "pools.cpu.memory_limit: "},
      {"cpu: strict=maybe", "pools.cpu.strict: must be true or false"},
      {"cpu: queues=", "pools.cpu.queues: a queue name is blank"},
      {"cpu: queues=a*b", "pools.cpu.queues: 'a*b' is no queue name"},
      {"cpu: queues=a queues=b", "pools.cpu.queues: is given twice"},
  };
  for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
    mc_config_pool *pools;
    size_t count;
    mc_err err;
    assert_int_equal(mc_pools_parse(refused[i].text, &pools, &count, &err), MC_EINVALID);
    if (!strstr(err.text, refused[i].message))
      fail_msg("'%s' is refused by: %s", refused[i].text, err.text);
  }
}

static void test_what_a_pool_was_not_given_is_as_the_options_say(void **state) {
  (void)state;
  mc_config config;
  mc_config_pool *pools;
  size_t count;
  mc_err err;
  mc_config_init(&config);
  assert_int_equal(mc_config_set(&config, "pools", BOTH, &err), 0);
  assert_int_equal(mc_config_set(&config, "workers", "7", &err), 0);
  assert_int_equal(mc_config_set(&config, "queues", "a,b", &err), 0);
  mc_config_pools(&config, &pools, &count);
  assert_int_equal(count, 2);
  assert_string_equal(pools[0].name, "io");
  assert_int_equal(pools[0].workers, 7);
  assert_int_equal(pools[0].concurrency, 500);
  assert_int_equal(pools[0].prefetch, config.prefetch);
  assert_false(pools[0].strict);
  assert_string_equal(pools[0].queues[1].name, "b");
  assert_int_equal(pools[1].workers, 2);
  assert_true(pools[1].strict);
  assert_int_equal(pools[1].memory_limit, 256 << 20);
  assert_int_equal(pools[0].memory_limit, 0);
  assert_string_equal(pools[1].queues[0].name, "image");
  assert_int_equal(pools[1].queues[0].archive_max_size, 7);
  free(pools);
  mc_config_deinit(&config);
}

static void test_without_pools_there_is_one(void **state) {
  (void)state;
  mc_config config;
  mc_config_pool *pools;
  size_t count;
  mc_err err;
  mc_config_init(&config);
  assert_int_equal(mc_config_set(&config, "pools", BOTH, &err), 0);
  assert_int_equal(mc_config_set(&config, "pools", "", &err), 0);
  mc_config_pools(&config, &pools, &count);
  assert_int_equal(count, 1);
  assert_string_equal(pools[0].name, "");
  assert_int_equal(pools[0].workers, config.workers);
  assert_int_equal(pools[0].queue_count, config.queue_count);
  free(pools);
  mc_config_deinit(&config);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_a_text_shows_as_it_was_parsed),
      cmocka_unit_test(test_what_is_refused_is_named_by_its_path),
      cmocka_unit_test(test_what_a_pool_was_not_given_is_as_the_options_say),
      cmocka_unit_test(test_without_pools_there_is_one),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

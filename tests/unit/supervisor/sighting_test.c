/* What the recover duty has seen: how long a pair has stood unchanged. */
#include "supervisor/sighting.h"

#include "protocol/work.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static const mc_slice id = {"a-task", 6};

static uint64_t see(mc_sightings *sightings, int64_t lease_s, uint64_t now_ms) {
  mc_sightings_begin(sightings);
  uint64_t since_ms = mc_sightings_see(sightings, id, lease_s, now_ms)->since_ms;
  mc_sightings_end(sightings);
  return since_ms;
}

static void test_an_unchanged_pair_keeps_its_time(void **state) {
  (void)state;
  mc_sightings sightings = {0};
  assert_int_equal(see(&sightings, 100, 1000), 1000);
  assert_int_equal(see(&sightings, 100, 3000), 1000);
  assert_int_equal(see(&sightings, 100, 9000), 1000);
  mc_sightings_clear(&sightings);
}

static void test_an_extended_lease_begins_anew(void **state) {
  (void)state;
  mc_sightings sightings = {0};
  see(&sightings, 100, 1000);
  assert_int_equal(see(&sightings, 105, 6000), 6000);
  assert_int_equal(see(&sightings, MC_NO_LEASE, 7000), 7000);
  mc_sightings_clear(&sightings);
}

static void test_what_was_away_for_one_look_begins_anew(void **state) {
  (void)state;
  mc_sightings sightings = {0};
  see(&sightings, 100, 1000);
  mc_sightings_begin(&sightings);
  mc_sightings_end(&sightings);
  assert_null(sightings.by_id);
  assert_int_equal(see(&sightings, 100, 9000), 9000);
  mc_sightings_clear(&sightings);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_an_unchanged_pair_keeps_its_time),
      cmocka_unit_test(test_an_extended_lease_begins_anew),
      cmocka_unit_test(test_what_was_away_for_one_look_begins_anew),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

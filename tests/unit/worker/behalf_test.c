/* Who is current while the loop works for an operation, and what is put down to whom. */
#include "worker/behalf.h"
#include "worker/page.h"

#include "base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define GROWTH ((size_t)64 * 1024 * 1024)

static mc_growth growth;

/* Two tasks, 7 and 8, in a worker that has all the memory that it had before. */
static int set_up(void **state) {
  (void)state;
  mc_page *page = mc_zalloc(mc_page_size(2));
  growth = (mc_growth){.page = page, .slot_count = 2};
  mc_page_fill(page, 0, 7, 1, 0);
  mc_page_fill(page, 1, 8, 1, 0);
  mc_behalf_use(&growth);
  mc_growth_measure(&growth);
  return 0;
}

static int tear_down(void **state) {
  (void)state;
  mc_behalf_use(NULL);
  free(growth.page);
  return 0;
}

static void they_nest_and_the_outer_one_is_current_again(void **state) {
  (void)state;
  uint64_t first = mc_behalf_begin(7);
  assert_int_equal(mc_behalf_now(), 7);
  uint64_t second = mc_behalf_begin(8);
  assert_int_equal(mc_behalf_now(), 8);
  uint64_t third = mc_behalf_begin(8);
  mc_behalf_end(third);
  assert_int_equal(mc_behalf_now(), 8);
  mc_behalf_end(second);
  assert_int_equal(mc_behalf_now(), 7);
  mc_behalf_end(first);
  assert_int_equal(mc_behalf_now(), 0);
}

static void for_nobody_nothing_changes(void **state) {
  (void)state;
  uint64_t outer = mc_behalf_begin(7);
  uint64_t inner = mc_behalf_begin(0);
  assert_int_equal(mc_behalf_now(), 7);
  mc_behalf_end(inner);
  assert_int_equal(mc_behalf_now(), 7);
  mc_behalf_end(outer);
}

static void outside_of_a_worker_there_is_nobody(void **state) {
  (void)state;
  mc_behalf_use(NULL);
  uint64_t outer = mc_behalf_begin(7);
  assert_int_equal(mc_behalf_now(), 0);
  mc_behalf_end(outer);
}

static void growth_is_that_of_the_one_it_happens_for(void **state) {
  (void)state;
  uint64_t outer = mc_behalf_begin(8);
  char *memory = mc_alloc(GROWTH);
  memset(memory, 1, GROWTH);
  mc_behalf_end(outer);
  assert_true(atomic_load(&growth.page->slots[1].grown) >= GROWTH / 2);
  assert_int_equal(atomic_load(&growth.page->slots[0].grown), 0);
  assert_int_equal(memory[GROWTH / 2], 1);
  free(memory);
}

#define behalf_test(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
  const struct CMUnitTest tests[] = {
      behalf_test(they_nest_and_the_outer_one_is_current_again),
      behalf_test(for_nobody_nothing_changes),
      behalf_test(outside_of_a_worker_there_is_nobody),
      behalf_test(growth_is_that_of_the_one_it_happens_for),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The waiting commands: first in, first out, however often the ring wraps and grows. */
#include "redis/requests.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static int marks[5000];

static void push(mc_requests *requests, size_t mark) {
  mc_requests_push(requests, &(mc_request){.arg = &marks[mark]});
}

static void the_oldest_comes_first_while_the_ring_wraps_and_grows(void **state) {
  (void)state;
  mc_requests requests = {0};
  size_t pushed = 0, popped = 0;
  assert_null(mc_requests_first(&requests));
  while (pushed < 4990) {
    for (int i = 0; i < 7; i++)
      push(&requests, pushed++);
    for (int i = 0; i < 5; i++) {
      assert_ptr_equal(mc_requests_first(&requests)->arg, &marks[popped]);
      assert_ptr_equal(mc_requests_pop(&requests).arg, &marks[popped]);
      popped++;
    }
    assert_int_equal(requests.count, pushed - popped);
  }
  while (requests.count)
    assert_ptr_equal(mc_requests_pop(&requests).arg, &marks[popped++]);
  assert_int_equal(popped, pushed);
  mc_requests_deinit(&requests);
  assert_null(mc_requests_first(&requests));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_oldest_comes_first_while_the_ring_wraps_and_grows),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

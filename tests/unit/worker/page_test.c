/* The worker's side of the shared page, seen from a second mapping as the supervisor sees it. */
#include "worker/page.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include <fcntl.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <unistd.h>

static int make_memory(uint32_t slots) {
  int fd = memfd_create("page", MFD_CLOEXEC);
  assert_true(fd >= 0);
  assert_int_equal(ftruncate(fd, (off_t)mc_page_size(slots)), 0);
  return fd;
}

static void test_what_is_written_is_seen_through_another_mapping(void **state) {
  (void)state;
  mc_page *page = NULL;
  int fd = make_memory(3);
  mc_page *seen = mmap(NULL, mc_page_size(3), PROT_READ, MAP_SHARED, fd, 0);
  assert_true(seen != MAP_FAILED);
  assert_int_equal(mc_page_map(fd, 3, &page, NULL), 0);
  assert_int_equal(fcntl(fd, F_GETFD), -1); /* closed */
  mc_page_set_current(page, 77);
  mc_page_fill(page, 2, 77, 1000, 2500);
  assert_int_equal(atomic_load(&seen->current), 77);
  assert_int_equal(atomic_load(&seen->slots[2].attempt), 77);
  assert_int_equal(atomic_load(&seen->slots[2].started_ms), 1000);
  assert_int_equal(atomic_load(&seen->slots[2].deadline_ms), 2500);
  mc_page_set_loading(page, 3, 4000000000u);
  assert_int_equal(atomic_load(&seen->loading), (uint64_t)3 << 32 | 4000000000u);
  mc_page_empty(page, 2);
  mc_page_set_current(page, 0);
  assert_int_equal(atomic_load(&seen->slots[2].attempt), 0);
  assert_int_equal(atomic_load(&seen->current), 0);
  munmap(page, mc_page_size(3));
  munmap(seen, mc_page_size(3));
}

static void test_every_step_of_an_attempt_is_another_one(void **state) {
  (void)state;
  mc_page *page = NULL;
  assert_int_equal(mc_page_map(make_memory(1), 1, &page, NULL), 0);
  mc_page_set_current(page, 7);
  mc_page_set_current(page, 0);
  assert_int_equal(atomic_load(&page->steps), 1);
  mc_page_set_current(page, 7);
  assert_int_equal(atomic_load(&page->steps), 2);
  munmap(page, mc_page_size(1));
}

static void test_what_the_supervisor_took_back_does_not_start(void **state) {
  (void)state;
  mc_page *page = NULL;
  assert_int_equal(mc_page_map(make_memory(2), 2, &page, NULL), 0);
  atomic_store(&page->withdrawn, 7);
  assert_false(mc_page_fill(page, 0, 7, 1, 0));
  assert_int_equal(atomic_load(&page->slots[0].attempt), 0);
  assert_true(mc_page_fill(page, 0, 8, 1, 0));
  assert_int_equal(atomic_load(&page->slots[0].attempt), 8);
  assert_int_equal(atomic_load(&page->newest), 8);
  atomic_store(&page->withdrawn, 0);
  assert_true(mc_page_fill(page, 1, 3, 1, 0));
  assert_int_equal(atomic_load(&page->newest), 8);
  munmap(page, mc_page_size(2));
}

static void test_a_cancellation_is_for_one_attempt(void **state) {
  (void)state;
  mc_page *page = NULL;
  assert_int_equal(mc_page_map(make_memory(1), 1, &page, NULL), 0);
  mc_page_fill(page, 0, 5, 1, 0);
  assert_false(mc_page_cancelled(page, 0));
  atomic_store(&page->slots[0].cancelled, 5);
  assert_true(mc_page_cancelled(page, 0));
  mc_page_empty(page, 0);
  mc_page_fill(page, 0, 6, 1, 0);
  assert_false(mc_page_cancelled(page, 0));
  munmap(page, mc_page_size(1));
}

static void test_growth_is_put_down_to_who_is_current(void **state) {
  (void)state;
  mc_page *page = NULL;
  assert_int_equal(mc_page_map(make_memory(2), 2, &page, NULL), 0);
  mc_page_fill(page, 0, 5, 1, 0);
  mc_page_fill(page, 1, 6, 1, 0);
  mc_page_set_peak(page, 2, 1000); /* nobody's */
  mc_page_set_current(page, 6);
  mc_page_set_peak(page, 2, 1300);
  mc_page_set_peak(page, 2, 900); /* what is taken again counts once */
  mc_page_set_peak(page, 2, 1350);
  mc_page_set_current(page, 7); /* its result has left */
  mc_page_set_peak(page, 2, 1360);
  assert_int_equal(atomic_load(&page->slots[0].grown), 0);
  assert_int_equal(atomic_load(&page->slots[1].grown), 350);
  assert_int_equal(atomic_load(&page->peak), 1360);
  mc_page_empty(page, 1);
  mc_page_fill(page, 1, 8, 1, 0);
  assert_int_equal(atomic_load(&page->slots[1].grown), 0);
  munmap(page, mc_page_size(2));
}

static void test_a_failure_is_kept_for_its_attempt_and_cut(void **state) {
  (void)state;
  mc_page *page = NULL;
  char text[1000];
  memset(text, 'x', sizeof text);
  assert_int_equal(mc_page_map(make_memory(2), 2, &page, NULL), 0);
  mc_page_fill(page, 0, 7, 1000, 0);
  mc_page_fill(page, 1, 8, 1000, 0);
  mc_page_set_failure(page, 2, 1, (mc_slice){text, sizeof text});
  mc_page_set_failure(page, 2, 0, MC_SLICE_LITERAL("boom"));
  const mc_page_failure *first = mc_page_failure_of(page, 2, 0), *second = mc_page_failure_of(page, 2, 1);
  assert_int_equal(atomic_load(&first->attempt), 7);
  assert_int_equal(atomic_load(&first->size), 4);
  assert_memory_equal(first->text, "boom", 4);
  assert_int_equal(atomic_load(&second->attempt), 8);
  assert_int_equal(atomic_load(&second->size), MC_PAGE_FAILURE_MAX);
  assert_true((const char *)(second + 1) == (const char *)page + mc_page_size(2));
  munmap(page, mc_page_size(2));
}

static void test_memory_that_is_too_small_is_refused(void **state) {
  (void)state;
  mc_page *page = NULL;
  mc_err err;
  int fd = make_memory(3);
  assert_int_equal(mc_page_map(fd, 4, &page, &err), MC_EMALFORMED);
  assert_non_null(strstr(err.text, "4 slots need"));
  assert_null(page);
  close(fd);
}

static void test_a_descriptor_that_is_not_there_is_refused(void **state) {
  (void)state;
  mc_page *page = NULL;
  mc_err err;
  int fd = make_memory(1);
  close(fd);
  assert_int_equal(mc_page_map(fd, 1, &page, &err), MC_EIO);
  assert_non_null(strstr(err.text, "the shared page"));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_what_is_written_is_seen_through_another_mapping),
      cmocka_unit_test(test_every_step_of_an_attempt_is_another_one),
      cmocka_unit_test(test_what_the_supervisor_took_back_does_not_start),
      cmocka_unit_test(test_a_cancellation_is_for_one_attempt),
      cmocka_unit_test(test_growth_is_put_down_to_who_is_current),
      cmocka_unit_test(test_a_failure_is_kept_for_its_attempt_and_cut),
      cmocka_unit_test(test_memory_that_is_too_small_is_refused),
      cmocka_unit_test(test_a_descriptor_that_is_not_there_is_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

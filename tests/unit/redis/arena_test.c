/* Memory handed out piece by piece: pieces do not overlap, and a reset keeps what is worth keeping. */
#include "redis/arena.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#define PIECES 2000

static void fill_and_check(mc_arena *arena, size_t step) {
  unsigned char *pieces[PIECES];
  for (size_t i = 0; i < PIECES; i++) {
    size_t size = i * step % 97;
    pieces[i] = mc_arena_take(arena, size);
    assert_int_equal((uintptr_t)pieces[i] % 8, 0);
    memset(pieces[i], (int)(i & 255), size);
  }
  for (size_t i = 0; i < PIECES; i++) {
    for (size_t at = 0; at < i * step % 97; at++)
      assert_int_equal(pieces[i][at], i & 255);
  }
}

static void pieces_are_aligned_and_do_not_overlap(void **state) {
  (void)state;
  mc_arena arena = {0};
  mc_arena_reset(&arena);
  for (size_t step = 1; step < 8; step++) {
    fill_and_check(&arena, step);
    mc_arena_reset(&arena);
  }
  mc_arena_deinit(&arena);
  fill_and_check(&arena, 3); /* ready again */
  mc_arena_deinit(&arena);
}

static void a_reset_keeps_one_chunk_of_the_usual_size(void **state) {
  (void)state;
  mc_arena arena = {0};
  fill_and_check(&arena, 5);
  size_t total = arena.total;
  mc_arena_reset(&arena);
  assert_int_equal(arena.total, total);
  fill_and_check(&arena, 5);
  assert_int_equal(arena.total, total);
  mc_arena_deinit(&arena);
}

static void a_reset_gives_back_what_was_unusually_much(void **state) {
  (void)state;
  mc_arena arena = {0};
  memset(mc_arena_take(&arena, (size_t)3 << 20), 1, (size_t)3 << 20);
  mc_arena_reset(&arena);
  assert_int_equal(arena.total, 0);
  mc_arena_deinit(&arena);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(pieces_are_aligned_and_do_not_overlap),
      cmocka_unit_test(a_reset_keeps_one_chunk_of_the_usual_size),
      cmocka_unit_test(a_reset_gives_back_what_was_unusually_much),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

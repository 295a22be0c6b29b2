/* UTF-8: what is valid, what is clean, what is made of the rest. */
#include "base/utf8.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#define BYTES(text) ((mc_slice){text, sizeof(text) - 1})

static void test_valid(void **state) {
  (void)state;
  assert_true(mc_utf8_valid(BYTES("")));
  assert_true(mc_utf8_valid(BYTES("plain \xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80 \xf4\x8f\xbf\xbf \xed\x9f\xbf")));
  assert_true(mc_utf8_valid(BYTES("a\0b")));
  assert_false(mc_utf8_clean(BYTES("a\0b")));
  assert_true(mc_utf8_clean((mc_slice){0}));
}

static void test_invalid(void **state) {
  (void)state;
  assert_false(mc_utf8_valid(BYTES("\x80")));
  assert_false(mc_utf8_valid(BYTES("\xc3")));
  assert_false(mc_utf8_valid(BYTES("\xc0\x80")));         /* overlong */
  assert_false(mc_utf8_valid(BYTES("\xe0\x80\x80")));     /* overlong */
  assert_false(mc_utf8_valid(BYTES("\xf0\x80\x80\x80"))); /* overlong */
  assert_false(mc_utf8_valid(BYTES("\xed\xa0\x80")));     /* surrogate */
  assert_false(mc_utf8_valid(BYTES("\xf4\x90\x80\x80"))); /* above U+10FFFF */
  assert_false(mc_utf8_valid(BYTES("\xff")));
}

static void check_sanitized(mc_slice from, size_t max, const char *want) {
  mc_buf out = {0};
  mc_utf8_sanitize(from, max, &out);
  assert_true(mc_slice_equal(mc_buf_slice(&out), mc_slice_of(want)));
  mc_buf_deinit(&out);
}

static void test_sanitize(void **state) {
  (void)state;
  check_sanitized(BYTES("good \xc3\xa9"), 100, "good \xc3\xa9");
  check_sanitized(BYTES("a\xff\0b"), 100,
                  "a\xef\xbf\xbd\xef\xbf\xbd"
                  "b");
  check_sanitized(BYTES("abcdef"), 4, "abcd...");
  check_sanitized(BYTES("abc\xc3\xa9"), 4, "abc..."); /* never in the middle of a character */
}

/* Whatever goes in, what comes out is clean. */
static void test_any_bytes_become_clean(void **state) {
  (void)state;
  unsigned seed = 7;
  for (int round = 0; round < 20000; round++) {
    char bytes[24];
    for (size_t i = 0; i < sizeof bytes; i++) {
      seed = seed * 1103515245 + 12345;
      bytes[i] = (char)(seed >> 16);
    }
    mc_buf out = {0};
    mc_utf8_sanitize((mc_slice){bytes, sizeof bytes}, 1000, &out);
    assert_true(mc_utf8_clean(mc_buf_slice(&out)));
    mc_buf_deinit(&out);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_valid),
      cmocka_unit_test(test_invalid),
      cmocka_unit_test(test_sanitize),
      cmocka_unit_test(test_any_bytes_become_clean),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

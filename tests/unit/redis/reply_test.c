/* Replies from the wire: every kind, in every split, in great number, and what is no Redis protocol. */
#include "redis/reply.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"

static const char every_kind[] = "*6\r\n+OK\r\n-ERR no\r\n:-42\r\n$4\r\na\0\r\n\r\n$-1\r\n*2\r\n*0\r\n*-1\r\n";

static const mc_value *next(mc_replies *replies) {
  const mc_value *value = NULL;
  mc_err err = {""};
  if (mc_replies_next(replies, &value, &err) != 0)
    fail_msg("%s", err.text);
  return value;
}

static void feed(mc_replies *replies, const char *bytes, size_t size) {
  assert_int_equal(mc_replies_feed(replies, bytes, size, NULL), 0);
}

static void check_every_kind(const mc_value *value) {
  assert_non_null(value);
  assert_int_equal(value->kind, MC_VALUE_ARRAY);
  assert_int_equal(value->count, 6);
  assert_true(mc_value_is_text(value->items[0], "OK"));
  assert_true(mc_value_is_error(value->items[1], "ERR"));
  assert_int_equal(value->items[2]->kind, MC_VALUE_INTEGER);
  assert_int_equal(value->items[2]->integer, -42);
  assert_true(mc_slice_equal(value->items[3]->text, MC_SLICE_LITERAL("a\0\r\n")));
  assert_int_equal(value->items[4]->kind, MC_VALUE_NIL);
  const mc_value *inner = value->items[5];
  assert_int_equal(inner->count, 2);
  assert_int_equal(inner->items[0]->kind, MC_VALUE_ARRAY);
  assert_int_equal(inner->items[0]->count, 0);
  assert_int_equal(inner->items[1]->kind, MC_VALUE_NIL);
}

static void every_kind_is_read_however_the_bytes_are_split(void **state) {
  (void)state;
  for (size_t split = 1; split < sizeof every_kind - 1; split++) {
    mc_replies *replies = mc_replies_new();
    feed(replies, every_kind, split);
    assert_null(next(replies));
    feed(replies, every_kind + split, sizeof every_kind - 1 - split);
    check_every_kind(next(replies));
    assert_null(next(replies));
    mc_replies_free(replies);
  }
}

static void replies_come_out_one_by_one(void **state) {
  (void)state;
  mc_replies *replies = mc_replies_new();
  for (int round = 0; round < 3; round++) {
    for (int i = 0; i < 1000; i++) {
      feed(replies, ":1\r\n", 4);
      feed(replies, every_kind, sizeof every_kind - 1);
    }
    for (int i = 0; i < 1000; i++) {
      assert_int_equal(next(replies)->integer, 1);
      check_every_kind(next(replies));
    }
    assert_null(next(replies));
  }
  mc_replies_free(replies);
}

static void a_long_array_keeps_all_its_items(void **state) {
  (void)state;
  mc_buf text = {0};
  mc_replies *replies = mc_replies_new();
  mc_buf_printf(&text, "*100000\r\n");
  for (int i = 0; i < 100000; i++)
    mc_buf_printf(&text, "*2\r\n:%d\r\n$5\r\n%05d\r\n", i, i);
  for (size_t at = 0; at < text.size; at += 65536)
    feed(replies, text.data + at, text.size - at < 65536 ? text.size - at : 65536);
  const mc_value *value = next(replies);
  assert_int_equal(value->count, 100000);
  for (int i = 0; i < 100000; i++) {
    char digits[8];
    snprintf(digits, sizeof digits, "%05d", i);
    assert_int_equal(mc_value_item(value->items[i], 0)->integer, i);
    assert_true(mc_value_is_text(mc_value_item(value->items[i], 1), digits));
  }
  mc_replies_free(replies);
  mc_buf_deinit(&text);
}

static void a_claimed_length_takes_no_memory(void **state) {
  (void)state;
  mc_replies *replies = mc_replies_new();
  feed(replies, "*2147483647\r\n", 13);
  assert_null(next(replies));
  feed(replies, "*2147483647\r\n$536870912\r\nabc", 28);
  assert_null(next(replies));
  mc_replies_free(replies);
}

static void integers_have_64_bits(void **state) {
  (void)state;
  static const char text[] = ":9223372036854775807\r\n:-9223372036854775808\r\n:-0\r\n";
  mc_replies *replies = mc_replies_new();
  feed(replies, text, sizeof text - 1);
  assert_true(next(replies)->integer == INT64_MAX);
  assert_true(next(replies)->integer == INT64_MIN);
  assert_true(next(replies)->integer == 0);
  mc_replies_free(replies);
}

/* Arrays of two, the second item being the next array: "*2 :1 *2 :1 … :7". */
static void feed_nested(mc_replies *replies, int depth) {
  for (int i = 0; i < depth; i++)
    feed(replies, "*2\r\n:1\r\n", 8);
  feed(replies, ":7\r\n", 4);
}

static void a_reply_that_is_nested_too_deep_is_an_error_and_the_next_is_read(void **state) {
  (void)state;
  mc_replies *replies = mc_replies_new();
  for (int round = 0; round < 2; round++) {
    feed_nested(replies, MC_REPLY_DEPTH_MAX);
    const mc_value *value = next(replies);
    for (int i = 0; i < MC_REPLY_DEPTH_MAX; i++)
      value = mc_value_item(value, 1);
    assert_int_equal(value->integer, 7);

    feed_nested(replies, MC_REPLY_DEPTH_MAX + 1);
    feed_nested(replies, 9000);
    feed(replies, every_kind, sizeof every_kind - 1);
    for (int i = 0; i < 2; i++)
      assert_true(mc_value_is_error(next(replies), "TOODEEP"));
    check_every_kind(next(replies));
    assert_null(next(replies));
  }
  mc_value const *value;
  feed_nested(replies, 70000); /* nobody's script does that */
  assert_int_equal(mc_replies_next(replies, &value, NULL), MC_EMALFORMED);
  mc_replies_free(replies);
}

static void what_is_no_redis_protocol_is_refused(void **state) {
  (void)state;
  static const char *const bad[] = {
      "HTTP/1.1 400 Bad Request\r\n\r\n",
      "220 mail.example.com ESMTP\r\n",
      "*3000000000\r\n",
      "*-2\r\n",
      "*x\r\n",
      "$-2\r\n",
      "$x\r\n",
      ":x\r\n",
      ":99999999999999999999\r\n",
      ":\r\n",
      ":-\r\n",
      ":9223372036854775808\r\n",
      "$1\r\nab\r\n",
      "\x15\x03\x03",
      "HTTP/1.1",
      "\r\n",
  };
  for (size_t i = 0; i < MC_COUNT(bad); i++) {
    const mc_value *value;
    mc_err err = {""};
    mc_replies *replies = mc_replies_new();
    feed(replies, bad[i], strlen(bad[i]));
    if (mc_replies_next(replies, &value, &err) != MC_EMALFORMED)
      fail_msg("accepted: %s", bad[i]);
    assert_non_null(strstr(err.text, "not the Redis protocol: "));
    mc_replies_free(replies);
  }
}

static void a_reply_that_never_ends_is_refused(void **state) {
  (void)state;
  mc_replies *replies = mc_replies_new();
  mc_err err = {""};
  feed(replies, "$9000000000000000000\r\n", 22);
  assert_null(next(replies));
  feed(replies, "abc", 3);
  assert_null(next(replies));
  /* The bytes are not looked at: together with those that wait there are too many. */
  assert_int_equal(mc_replies_feed(replies, "", ((size_t)1 << 30) - 2, &err), MC_EMALFORMED);
  assert_non_null(strstr(err.text, "larger than Redis ever sends"));
  mc_replies_free(replies);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_kind_is_read_however_the_bytes_are_split),
      cmocka_unit_test(replies_come_out_one_by_one),
      cmocka_unit_test(a_long_array_keeps_all_its_items),
      cmocka_unit_test(a_claimed_length_takes_no_memory),
      cmocka_unit_test(integers_have_64_bits),
      cmocka_unit_test(a_reply_that_is_nested_too_deep_is_an_error_and_the_next_is_read),
      cmocka_unit_test(what_is_no_redis_protocol_is_refused),
      cmocka_unit_test(a_reply_that_never_ends_is_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

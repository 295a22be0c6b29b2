/* protocol/message.c: the wire, byte for byte, and what is refused. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdlib.h>
#include <cmocka.h>

#include "base/mem.h"
#include "protocol/message.h"

#define BYTES(literal) ((mc_slice){(literal), sizeof(literal) - 1})

static const mc_header headers[] = {{BYTES("b"), BYTES("2")}, {BYTES("a"), BYTES("1")}};

static const mc_message full = {
    .type = BYTES("t:x"),
    .payload = BYTES("\0\xff"),
    .id = BYTES("id"),
    .queue = BYTES("low"),
    .max_retry = 25,
    .retried = 2,
    .error_msg = BYTES("bad"),
    .timeout_s = 1800,
    .deadline_s = 1700000000,
    .unique_key = BYTES("u"),
    .last_failed_at_s = 1,
    .retention_s = 2,
    .completed_at_s = 3,
    .group_key = BYTES("g"),
    .headers = headers,
    .header_count = 2,
};

/* What google.golang.org/protobuf writes for the same message: fields by number, a map entry as key 1 and value 2. */
static const char full_bytes[] = "\x0a\x03t:x"
                                 "\x12\x02\x00\xff"
                                 "\x1a\x02id"
                                 "\x22\x03low"
                                 "\x28\x19"
                                 "\x30\x02"
                                 "\x3a\x03"
                                 "bad"
                                 "\x40\x88\x0e"
                                 "\x48\x80\xe2\xcf\xaa\x06"
                                 "\x52\x01u"
                                 "\x58\x01"
                                 "\x60\x02"
                                 "\x68\x03"
                                 "\x72\x01g"
                                 "\x7a\x06\x0a\x01"
                                 "a\x12\x01"
                                 "1"
                                 "\x7a\x06\x0a\x01"
                                 "b\x12\x01"
                                 "2";

static void assert_slice(mc_slice actual, mc_slice expected) {
  assert_int_equal(actual.size, expected.size);
  if (expected.size)
    assert_memory_equal(actual.data, expected.data, expected.size);
}

static void every_field_has_asynqs_number_and_type(void **state) {
  (void)state;
  mc_buf out = {0};
  mc_buf_add_text(&out, "before");
  mc_message_encode(&full, &out);
  assert_slice((mc_slice){out.data + 6, out.size - 6}, BYTES(full_bytes));
  mc_buf_deinit(&out);
}

static void every_field_is_read_back(void **state) {
  (void)state;
  mc_message_box box;
  assert_int_equal(mc_message_decode(BYTES(full_bytes), &box, NULL), 0);
  const mc_message *message = &box.message;
  assert_slice(message->type, full.type);
  assert_slice(message->payload, full.payload);
  assert_slice(message->id, full.id);
  assert_slice(message->queue, full.queue);
  assert_int_equal(message->max_retry, 25);
  assert_int_equal(message->retried, 2);
  assert_slice(message->error_msg, full.error_msg);
  assert_int_equal(message->timeout_s, 1800);
  assert_int_equal(message->deadline_s, 1700000000);
  assert_slice(message->unique_key, full.unique_key);
  assert_int_equal(message->last_failed_at_s, 1);
  assert_int_equal(message->retention_s, 2);
  assert_int_equal(message->completed_at_s, 3);
  assert_slice(message->group_key, full.group_key);
  assert_int_equal(message->header_count, 2);
  assert_slice(message->headers[0].name, BYTES("a"));
  assert_slice(message->headers[1].value, BYTES("2"));
  mc_message_free(&box);
  assert_null(box.memory);
}

static void of_two_headers_with_one_name_the_later_stays_later(void **state) {
  (void)state;
  const mc_header twice[] = {{BYTES("k"), BYTES("old")}, {BYTES("j"), BYTES("")}, {BYTES("k"), BYTES("new")}};
  mc_message message = {.type = BYTES("t"), .id = BYTES("i"), .headers = twice, .header_count = 3};
  mc_message_box box;
  mc_buf out = {0};
  mc_message_encode(&message, &out);
  assert_int_equal(mc_message_decode(mc_buf_slice(&out), &box, NULL), 0);
  assert_slice(box.message.headers[0].name, BYTES("j"));
  assert_slice(box.message.headers[1].value, BYTES("old"));
  assert_slice(box.message.headers[2].value, BYTES("new"));
  mc_message_free(&box);
  mc_buf_deinit(&out);
}

static void error_texts_are_mended_and_cut(void **state) {
  (void)state;
  mc_message message = {.type = BYTES("t"), .id = BYTES("i"), .error_msg = BYTES("a\0b\xff")};
  mc_message_box box;
  mc_buf out = {0};
  mc_message_encode(&message, &out);
  assert_int_equal(mc_message_decode(mc_buf_slice(&out), &box, NULL), 0);
  assert_slice(box.message.error_msg, BYTES("a\xef\xbf\xbd"
                                            "b\xef\xbf\xbd"));
  mc_message_free(&box);
  mc_buf_clear(&out);

  char *text = mc_zalloc(10000);
  memset(text, 'x', 10000);
  message.error_msg = (mc_slice){text, 10000};
  mc_message_encode(&message, &out);
  assert_int_equal(mc_message_decode(mc_buf_slice(&out), &box, NULL), 0);
  assert_int_equal(box.message.error_msg.size, 4096 + 3);
  mc_message_free(&box);
  mc_buf_deinit(&out);
  free(text);
}

static void unknown_fields_are_tolerated(void **state) {
  (void)state;
  mc_message_box box;
  assert_int_equal(mc_message_decode(BYTES("\x0a\x01t\x1a\x01i\xa0\x06\x01\xaa\x06\x02xy"), &box, NULL), 0);
  assert_slice(box.message.type, BYTES("t"));
  mc_message_free(&box);
}

static void a_nul_in_the_error_of_another_tool_is_tolerated(void **state) {
  (void)state;
  mc_message_box box;
  assert_int_equal(mc_message_decode(BYTES("\x0a\x01t\x1a\x01i\x3a\x01\0"), &box, NULL), 0);
  assert_int_equal(box.message.error_msg.size, 1);
  mc_message_free(&box);
}

static void malformed_messages_are_refused_with_the_reason(void **state) {
  (void)state;
  static const struct {
    mc_slice bytes;
    const char *reason;
  } cases[] = {
      {BYTES(""), "type is blank"},
      {BYTES("\x0a\x05t"), "not protobuf"},
      {BYTES("\xff\xff\xff"), "not protobuf"},
      {BYTES("{\"type\":\"t\"}"), "not protobuf"},
      {BYTES("\x1a\x01i"), "type is blank"},
      {BYTES("\x0a\x02 \t\x1a\x01i"), "type is blank"},
      {BYTES("\x0a\x01t"), "id is blank"},
      {BYTES("\x0a\x01\xff\x1a\x01i"), "type is not UTF-8"},
      {BYTES("\x0a\x02t\0\x1a\x01i"), "type is not UTF-8"},
      {BYTES("\x0a\x01t\x1a\x01\xc0"), "id is not UTF-8"},
      {BYTES("\x0a\x01t\x1a\x01i\x22\x01\x80"), "queue is not UTF-8"},
      {BYTES("\x0a\x01t\x1a\x01i\x3a\x01\x80"), "error_msg is not UTF-8"},
      {BYTES("\x0a\x01t\x1a\x01i\x52\x01\x80"), "unique_key is not UTF-8"},
      {BYTES("\x0a\x01t\x1a\x01i\x72\x01\x80"), "group_key is not UTF-8"},
      {BYTES("\x0a\x01t\x1a\x01i\x7a\x03\x0a\x01\x80"), "header"},
      {BYTES("\x0a\x01t\x1a\x01i\x7a\x03\x12\x01\0"), "header"},
      {BYTES("\x0a\x01t\x1a\x01i\x28\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), "negative"},
      {BYTES("\x0a\x01t\x1a\x01i\x30\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), "negative"},
  };
  for (size_t i = 0; i < MC_COUNT(cases); i++) {
    mc_message_box box = {.memory = &box};
    mc_err err = {{0}};
    if (mc_message_decode(cases[i].bytes, &box, &err) != MC_EMALFORMED || !strstr(err.text, cases[i].reason))
      fail_msg("case %zu: \"%s\" does not say \"%s\"", i, err.text, cases[i].reason);
    assert_ptr_equal(box.memory, &box);
  }
}

/* More memory than the first block of the arena holds. */
static void very_many_tiny_headers_are_read(void **state) {
  (void)state;
  mc_message_box box;
  mc_buf bytes = {0};
  mc_buf_add_text(&bytes, "\x0a\x01t\x1a\x01i");
  for (int i = 0; i < 20000; i++)
    mc_buf_add(&bytes, "\x7a\x00", 2);
  assert_int_equal(mc_message_decode(mc_buf_slice(&bytes), &box, NULL), 0);
  assert_int_equal(box.message.header_count, 20000);
  assert_int_equal(box.message.headers[19999].name.size, 0);
  mc_message_free(&box);
  mc_buf_deinit(&bytes);
}

static void blank_is_empty_or_white(void **state) {
  (void)state;
  assert_true(mc_text_is_blank((mc_slice){0}));
  assert_true(mc_text_is_blank(BYTES(" \t\r\n")));
  assert_false(mc_text_is_blank(BYTES(" x")));
  assert_false(mc_text_is_blank(BYTES("\0")));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_field_has_asynqs_number_and_type),
      cmocka_unit_test(every_field_is_read_back),
      cmocka_unit_test(of_two_headers_with_one_name_the_later_stays_later),
      cmocka_unit_test(error_texts_are_mended_and_cut),
      cmocka_unit_test(unknown_fields_are_tolerated),
      cmocka_unit_test(a_nul_in_the_error_of_another_tool_is_tolerated),
      cmocka_unit_test(malformed_messages_are_refused_with_the_reason),
      cmocka_unit_test(very_many_tiny_headers_are_read),
      cmocka_unit_test(blank_is_empty_or_white),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Enqueues tasks through generated code, and prints for each its result code and id, or what the error says. */
#include "tasks.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static mooncrew_client *client;
static mooncrew_result result;
static mooncrew_error error;

static void tell(const char *what, int code) {
  printf("%s %s %s %s\n", what, mooncrew_code_name(code), code ? "-" : result.queue, code ? error.message : result.id);
  mooncrew_result_release(&result);
}

static void send_email(const char *what, const char *username, email_welcome_locale locale,
                       const mooncrew_options *options) {
  email_welcome_payload payload = {0};
  payload.username = username;
  payload.has_locale = locale != 0;
  payload.locale = locale;
  tell(what, email_welcome_enqueue(client, &payload, options, &result, &error));
}

static void send_emails(void) {
  mooncrew_options options = MOONCREW_OPTIONS_INIT;
  send_email("default", "ada", (email_welcome_locale)0, NULL);
  send_email("again", "ada", EMAIL_WELCOME_LOCALE_EN, NULL);
  options.queue = "low";
  options.max_retry = 2;
  send_email("options", "bob", EMAIL_WELCOME_LOCALE_FR, &options);
  send_email("required", NULL, (email_welcome_locale)0, NULL);
  send_email("short", "", (email_welcome_locale)0, NULL);
  send_email("long", "\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4.", (email_welcome_locale)0,
             NULL);
  send_email("exact", "\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4.", (email_welcome_locale)0, NULL);
  send_email("bytes", "\xff", (email_welcome_locale)0, NULL);
  send_email("enum", "x", (email_welcome_locale)9, NULL);
  tell("null", email_welcome_enqueue(client, NULL, NULL, &result, &error));
}

static nasty_payload nasty(void) {
  static const char *const tags[] = {"<&>", "\x01\t\x7f\"\\/"};
  static const nasty_rows_item rows[] = {{-9007199254740991, tags, 2}, {9007199254740991, NULL, 0}};
  static const double numbers[] = {0.5, -1};
  static const nasty_matrix_item matrix[] = {{numbers, 2}, {NULL, 0}};
  static const nasty_odd_item odd[] = {NASTY_ODD_ITEM_A_B, NASTY_ODD_ITEM_U00FC, NASTY_ODD_ITEM_Q};
  static const nasty_labels_entry labels[] = {{"z", "1"}, {"a", "2"}, {"\xc3\xa9", "3"}};
  nasty_payload payload = {0};
  payload.type = "t";
  payload.func = 5;
  payload.int_ = true;
  payload.class_ = "c";
  payload.the_dash = "d";
  payload.gru00f6u00dfe = 9007199254740993;
  payload.least = INT64_MIN;
  payload.most = INT64_MAX;
  payload.rows = rows;
  payload.rows_count = 2;
  payload.matrix = matrix;
  payload.matrix_count = 2;
  payload.odd = odd;
  payload.odd_count = 3;
  payload.labels = labels;
  payload.labels_count = 3;
  payload.any = "{\"a\":[1,null]}";
  payload.rows_count_2 = 3;
  return payload;
}

static void send_nasty(void) {
  static const int64_t counts[] = {1, 2};
  static const nasty_counts_entry entries[] = {{"b", {counts, 2}}, {"a", {NULL, 0}}};
  static const nasty_labels_entry twice[] = {{"a", "1"}, {"a", "2"}};
  static const nasty_nested_deep deep = {0.1};
  static const nasty_open open = {"p"};
  nasty_payload payload = nasty();
  tell("nasty", nasty_enqueue(client, &payload, NULL, &result, &error));
  payload.has_counts = true;
  payload.counts = entries;
  payload.counts_count = 2;
  payload.nested.deep = &deep;
  payload.open = &open;
  payload.any_or_none = "[null]";
  payload.has_list = payload.has_opt_2 = payload.has_number = payload.has_flag = true;
  payload.list = (const char *const[]){"one"};
  payload.list_count = 1;
  payload.has_has_opt = payload.has_opt = true;
  payload.number = NASTY_NUMBER_MINUS_5;
  payload.mixed = "\"x\"";
  tell("full", nasty_enqueue(client, &payload, NULL, &result, &error));
  payload.rows = (const nasty_rows_item[]){{0, NULL, 0}, {INT64_MAX, NULL, 0}};
  tell("range", nasty_enqueue(client, &payload, NULL, &result, &error));
  payload = nasty();
  payload.labels = twice;
  payload.labels_count = 2;
  tell("twice", nasty_enqueue(client, &payload, NULL, &result, &error));
  payload = nasty();
  payload.has_list = true;
  tell("few", nasty_enqueue(client, &payload, NULL, &result, &error));
  payload = nasty();
  payload.matrix = (const nasty_matrix_item[]){{NULL, 0}, {(const double[]){1, (double)NAN}, 2}};
  tell("nan", nasty_enqueue(client, &payload, NULL, &result, &error));
}

static void send_rest(void) {
  static const double list[] = {0,
                                -0.0,
                                0.1,
                                1e21,
                                1e-7,
                                5e-324,
                                DBL_MAX,
                                DBL_MIN,
                                123456789.125,
                                1e15,
                                1.0 / 3.0,
                                -2.5e-5,
                                1e14,
                                9007199254740991.0,
                                9007199254740992.0,
                                1e100,
                                0.00001,
                                1e22};
  static const char *const strings[] = {"", "\b\f\n\r\t\x1f", "\xe2\x80\xa8", "\xf0\x9f\x98\x80"};
  static const json_add_value_entry entries[] = {{"x", 1}, {"", INT64_MIN}};
  numbers_payload numbers = {list, sizeof list / sizeof *list};
  texts_payload texts = {strings, 4};
  image_any_payload image = {"u"};
  or_else_payload text = {NULL};
  x2fa_gru00f6u00dfe_payload any = {"[]"};
  a_b_payload first = {{"i"}, 7};
  a_b_2_payload second = {"s"};
  int_payload choice = {INT_VALUE_Y};
  json_add_payload map = {entries, 2};
  tell("numbers", numbers_enqueue(client, &numbers, NULL, &result, &error));
  tell("texts", texts_enqueue(client, &texts, NULL, &result, &error));
  tell("image", image_any_enqueue(client, "resize", &image, NULL, &result, &error));
  tell("raw", raw_enqueue(client, "\xff{", 2, NULL, &result, &error));
  tell("free", free_enqueue(client, "{\"a\":1}", NULL, &result, &error));
  tell("nothing", free_enqueue(client, NULL, NULL, &result, &error));
  tell("any", x2fa_gru00f6u00dfe_enqueue(client, &any, NULL, &result, &error));
  tell("maybe", maybe_enqueue(client, NULL, NULL, &result, &error));
  tell("or_else", or_else_enqueue(client, &text, NULL, &result, &error));
  tell("first", a_b_enqueue(client, &first, NULL, &result, &error));
  tell("second", a_b_2_enqueue(client, &second, NULL, &result, &error));
  tell("choice", int_enqueue(client, &choice, NULL, &result, &error));
  tell("map", json_add_enqueue(client, &map, NULL, &result, &error));
}

static void send_references(void) {
  static const tree_payload leaf = {NULL, 0, NULL, "leaf"};
  const tree_payload root = {&leaf, 1, &leaf, "root"};
  tree_payload ring = {NULL, 0, NULL, "ring"};
  choices_payload choices = {0};
  imported_payload imported = {0};
  tell("tree", tree_enqueue(client, &root, NULL, &result, &error));
  ring.left = &ring;
  int code = tree_enqueue(client, &ring, NULL, &result, &error);
  error.message[0] = '\0';
  tell("ring", code);
  choices.nulls = (const char *const[]){"1", NULL};
  choices.nulls_count = 2;
  choices.either = "5";
  choices.pair = "[\"a\",1]";
  choices.constant = CHOICES_CONSTANT_K;
  choices.yes = "true";
  choices.share = 0.5;
  choices.when = "2026-01-31T12:00:00Z";
  tell("choices", choices_enqueue(client, &choices, NULL, &result, &error));
  choices.share = 0;
  tell("above", choices_enqueue(client, &choices, NULL, &result, &error));
  imported.price.cents = 5;
  tell("imported", imported_enqueue(client, &imported, NULL, &result, &error));
}

static void tell_limits(const char *what, const limits_payload *payload) {
  tell(what, limits_enqueue(client, payload, NULL, &result, &error));
}

static void send_limits(void) {
  static const char *const names[] = {"b", "a", "b"};
  static const bool flags[] = {true, false, false};
  static const limits_points_item points[] = {{1, 0.5}, {1, 0.25}, {1, 0.5}};
  static const int64_t twice[] = {7, 8, 7};
  static const limits_lists_item lists[] = {{twice, 2}, {twice, 3}};
  const limits_payload payload = {.even = -4, .has_wide = true, .wide = -9007199254741000, .has_names = true,
    .names = names, .names_count = 2, .has_flags = true, .flags = flags, .flags_count = 2, .has_points = true,
    .points = points, .points_count = 2, .has_lists = true, .lists = lists, .lists_count = 1};
  limits_payload wrong = payload;
  tell_limits("limits", &payload);
  wrong.even = 3;
  tell_limits("odd", &wrong);
  wrong = payload, wrong.wide = 1;
  tell_limits("wide", &wrong);
  wrong = payload, wrong.names_count = 3;
  tell_limits("names", &wrong);
  wrong = payload, wrong.flags_count = 3;
  tell_limits("flags", &wrong);
  wrong = payload, wrong.points_count = 3;
  tell_limits("points", &wrong);
  wrong = payload, wrong.lists_count = 2;
  tell_limits("lists", &wrong);
}

static void send_bounds(void) {
  bounds_payload payload = {.has_n = true, .n = 9007199254740991, .has_exact = true, .exact = INT64_MAX,
    .word = "abc", .has_both = true, .both = 5};
  tell("bounds", bounds_enqueue(client, &payload, NULL, &result, &error));
  payload.both = 6;
  tell("both", bounds_enqueue(client, &payload, NULL, &result, &error));
  payload.both = 3, payload.word = "ab";
  tell("word", bounds_enqueue(client, &payload, NULL, &result, &error));
  payload.word = NULL, payload.n++;
  tell("inexact", bounds_enqueue(client, &payload, NULL, &result, &error));
}

int main(int argc, char **argv) {
  if (argc != 2 || mooncrew_open(argv[1], &client, &error))
    return 2;
  send_emails();
  send_nasty();
  send_rest();
  send_references();
  send_limits();
  send_bounds();
  mooncrew_close(client);
  return 0;
}

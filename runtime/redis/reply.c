/* Replies from the wire: see reply.h.
 *
 * Bytes wait in one buffer until they are a whole line, or a whole string; what is read becomes a value at once. Arrays
 * that wait for items lie on a stack, the outermost first: a value goes into the topmost, and a reply is whole when the
 * stack is empty. No recursion here, but whoever reads the tree will recurse; so arrays that lie too deep are read and
 * not kept, and the whole reply becomes an error: the command fails, and those behind it find their replies.
 *
 * All values of one reply lie in one arena, which is emptied when the next reply is asked for: a reply of hundreds of
 * items costs a few additions per item and no free.
 */
#include "redis/reply.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/mem.h"
#include "redis/arena.h"

/* Room for the items of an array that announces more comes as they arrive: a length is only a claim. */
#define ITEMS_AT_FIRST 1024
/* Redis' own limit for one string is 512 MB. */
#define UNREAD_AT_MOST ((size_t)1 << 30)
/* Read buffers up to this size are kept when they run empty. */
#define READ_BUFFER_KEPT ((size_t)256 * 1024)
/* The first byte of what a TLS server answers to who does not speak TLS. */
#define TLS_ALERT 0x15
/* Redis' scripts cannot nest tables so deep: their stack is too small. */
#define DEPTH_READ_AT_MOST 65536

/* An array that waits for items. */
typedef struct open_array {
  mc_value *value; /* count items are there, of `room` that fit; NULL: too deep, not kept */
  size_t room, left;
} open_array;

struct mc_replies {
  mc_buf bytes;
  size_t at;     /* the bytes before it are read */
  size_t looked; /* up to here there is no end of the line that begins there */
  mc_arena arena;
  open_array *open;
  size_t depth, room;
  mc_value *root; /* of the reply that is being read, or was handed out */
  bool whole;     /* it was handed out */
  bool too_deep;  /* something in it was not kept */
};

/* A line of a reply: the sign of its kind, and what follows it up to the line's end. */
typedef struct reply_line {
  char sign;
  mc_slice text;
  size_t end; /* in bytes, behind the line */
} reply_line;

static int read_piece(mc_replies *replies, bool *more, mc_err *err);
static bool find_line(mc_replies *replies, reply_line *out);
static void finish(mc_replies *replies);

mc_replies *mc_replies_new(void) {
  return mc_zalloc(sizeof(mc_replies));
}

void mc_replies_free(mc_replies *replies) {
  if (!replies)
    return;
  mc_buf_deinit(&replies->bytes);
  mc_arena_deinit(&replies->arena);
  free(replies->open);
  free(replies);
}

/* What was read goes when it is half of all, so that no byte is moved often. */
static void drop_read(mc_replies *replies) {
  if (replies->at < replies->bytes.size / 2)
    return;
  if (replies->at == replies->bytes.size && replies->bytes.capacity > READ_BUFFER_KEPT)
    mc_buf_deinit(&replies->bytes);
  else
    mc_buf_consume(&replies->bytes, replies->at);
  replies->looked = replies->looked > replies->at ? replies->looked - replies->at : 0;
  replies->at = 0;
}

int mc_replies_feed(mc_replies *replies, const char *bytes, size_t size, mc_err *err) {
  if (replies->bytes.size - replies->at + size > UNREAD_AT_MOST)
    return mc_fail(err, MC_EMALFORMED, "the reply is larger than Redis ever sends");
  drop_read(replies);
  mc_buf_add(&replies->bytes, bytes, size);
  return 0;
}

int mc_replies_next(mc_replies *replies, const mc_value **out, mc_err *err) {
  if (replies->whole)
    mc_arena_reset(&replies->arena);
  replies->whole = false;
  for (bool more = true; more && !replies->whole;) {
    int rc = read_piece(replies, &more, err);
    if (rc != 0)
      return rc;
  }
  *out = replies->whole ? replies->root : NULL;
  return 0;
}

/* ---- lines ---- */

static bool find_line(mc_replies *replies, reply_line *out) {
  const mc_buf *bytes = &replies->bytes;
  size_t from = replies->looked > replies->at ? replies->looked : replies->at;
  if (from == bytes->size)
    return false;
  const char *start = bytes->data + replies->at, *stop = bytes->data + bytes->size;
  const char *sign = memchr(bytes->data + from, '\r', bytes->size - from);
  while (sign && sign + 1 < stop && sign[1] != '\n')
    sign = memchr(sign + 1, '\r', (size_t)(stop - sign - 1));
  if (sign && sign + 1 < stop) {
    *out = (reply_line){
        *start, {start + 1, sign > start ? (size_t)(sign - start - 1) : 0}, (size_t)(sign + 2 - bytes->data)};
    return true;
  }
  replies->looked = sign ? (size_t)(sign - bytes->data) : bytes->size;
  return false;
}

static int refuse(mc_err *err, const char *what) {
  return mc_fail(err, MC_EMALFORMED, "this is not the Redis protocol: %s", what);
}

/* Decimal, with an optional minus, in 64 bits. */
static bool read_integer(mc_slice digits, int64_t *out) {
  bool minus = digits.size > 0 && digits.data[0] == '-';
  int64_t number = 0;
  if (digits.size == minus)
    return false;
  for (size_t i = minus; i < digits.size; i++) {
    int digit = digits.data[i] - '0';
    if (digit < 0 || digit > 9 || __builtin_mul_overflow(number, 10, &number) ||
        __builtin_sub_overflow(number, digit, &number)) /* downwards, where there is room for one more */
      return false;
  }
  if (!minus && number == INT64_MIN)
    return false;
  *out = minus ? number : -number;
  return true;
}

/* ---- values ---- */

static void grow(mc_replies *replies, open_array *array) {
  size_t most = array->value->count + array->left;
  size_t room = array->room * 2 < most ? array->room * 2 : most;
  mc_value **items = mc_arena_take(&replies->arena, room * sizeof(mc_value *));
  memcpy(items, array->value->items, array->value->count * sizeof *items);
  array->value->items = items;
  array->room = room;
}

/* True when what comes next is a part of something that is not kept. */
static bool is_dropped(const mc_replies *replies) {
  return replies->depth && !replies->open[replies->depth - 1].value;
}

/* Hangs a value into the array that it is an item of; NULL: one that is not kept. */
static void place(mc_replies *replies, mc_value *value) {
  if (replies->depth == 0) {
    replies->root = value;
    return;
  }
  open_array *array = &replies->open[replies->depth - 1];
  if (array->value && value) {
    if (array->value->count == array->room)
      grow(replies, array);
    array->value->items[array->value->count++] = value;
  }
  array->left--;
}

static mc_value *value_new(mc_replies *replies, mc_value_kind kind, size_t extra) {
  if (is_dropped(replies))
    return NULL;
  mc_value *value = mc_arena_take(&replies->arena, sizeof *value + extra);
  *value = (mc_value){.kind = kind};
  return value;
}

static void add_text(mc_replies *replies, mc_value_kind kind, mc_slice text) {
  mc_value *value = value_new(replies, kind, text.size);
  if (value) {
    value->text = (mc_slice){(char *)(value + 1), text.size};
    memcpy(value + 1, text.data, text.size);
  }
  place(replies, value);
}

static void open_push(mc_replies *replies, mc_value *value, size_t announced) {
  if (replies->depth == replies->room) {
    replies->room = replies->room ? replies->room * 2 : 8;
    replies->open = mc_realloc(replies->open, replies->room * sizeof *replies->open);
  }
  open_array array = {.value = value, .left = announced};
  if (value) {
    array.room = announced < ITEMS_AT_FIRST ? announced : ITEMS_AT_FIRST;
    value->items = mc_arena_take(&replies->arena, array.room * sizeof(mc_value *));
  }
  replies->open[replies->depth++] = array;
}

/* ---- kinds: each reads a line, and what belongs to it ---- */

static int read_status(mc_replies *replies, const reply_line *line, mc_err *err) {
  (void)err;
  add_text(replies, line->sign == '-' ? MC_VALUE_ERROR : MC_VALUE_STRING, line->text);
  replies->at = line->end;
  return 0;
}

static int read_number(mc_replies *replies, const reply_line *line, mc_err *err) {
  int64_t integer;
  if (!read_integer(line->text, &integer))
    return refuse(err, "an integer is none, or has more than 64 bits");
  mc_value *value = value_new(replies, MC_VALUE_INTEGER, 0);
  if (value)
    value->integer = integer;
  place(replies, value);
  replies->at = line->end;
  return 0;
}

/* What is -1 long is nil. */
static int read_nil(mc_replies *replies, const reply_line *line) {
  place(replies, value_new(replies, MC_VALUE_NIL, 0));
  replies->at = line->end;
  return 0;
}

/* Stays where it is until the whole string is there. */
static int read_string(mc_replies *replies, const reply_line *line, mc_err *err) {
  int64_t size;
  if (!read_integer(line->text, &size) || size < -1)
    return refuse(err, "the length of a string is none");
  if (size == -1)
    return read_nil(replies, line);
  if (replies->bytes.size - line->end < (uint64_t)size + 2)
    return 0;
  const char *text = replies->bytes.data + line->end;
  if (memcmp(text + size, "\r\n", 2) != 0)
    return refuse(err, "a string is longer than it says");
  add_text(replies, MC_VALUE_STRING, (mc_slice){text, (size_t)size});
  replies->at = line->end + (size_t)size + 2;
  return 0;
}

static int read_array(mc_replies *replies, const reply_line *line, mc_err *err) {
  int64_t announced;
  if (!read_integer(line->text, &announced) || announced < -1 || announced > INT_MAX)
    return refuse(err, "the length of an array is none");
  if (announced == -1)
    return read_nil(replies, line);
  if (replies->depth == DEPTH_READ_AT_MOST)
    return refuse(err, "arrays are nested deeper than Redis can");
  bool kept = replies->depth < MC_REPLY_DEPTH_MAX;
  mc_value *value = kept ? value_new(replies, MC_VALUE_ARRAY, 0) : NULL;
  replies->too_deep = replies->too_deep || !kept;
  place(replies, value);
  open_push(replies, value, (size_t)announced);
  replies->at = line->end;
  return 0;
}

static const struct kind {
  char sign;
  int (*read)(mc_replies *replies, const reply_line *line, mc_err *err);
} kinds[] = {
    {'+', read_status}, {'-', read_status}, {':', read_number}, {'$', read_string}, {'*', read_array},
};

static const struct kind *find_kind(char sign) {
  for (size_t i = 0; i < MC_COUNT(kinds); i++)
    if (kinds[i].sign == sign)
      return &kinds[i];
  return NULL;
}

static int refuse_kind(char sign, mc_err *err) {
  char what[128];
  snprintf(what, sizeof what, "a reply begins with byte 0x%02x%s", (unsigned char)sign,
           sign == TLS_ALERT ? ", as TLS does: if this is the server's tls-port, write rediss://" : "");
  return refuse(err, what);
}

/* The first byte is judged alone: what is no Redis may never end a line. */
static int read_piece(mc_replies *replies, bool *more, mc_err *err) {
  reply_line line;
  *more = false;
  if (replies->at == replies->bytes.size)
    return 0;
  char sign = replies->bytes.data[replies->at];
  const struct kind *kind = find_kind(sign);
  if (!kind)
    return refuse_kind(sign, err);
  if (!find_line(replies, &line))
    return 0;
  size_t before = replies->at;
  int rc = kind->read(replies, &line, err);
  *more = rc == 0 && replies->at != before; /* else the string is not whole */
  if (*more)
    finish(replies);
  return rc;
}

/* Takes arrays that have all their items off the stack; the reply is whole when none is left. */
static void finish(mc_replies *replies) {
  while (replies->depth && replies->open[replies->depth - 1].left == 0)
    replies->depth--;
  replies->whole = replies->depth == 0;
  if (!replies->whole || !replies->too_deep)
    return;
  char text[160];
  snprintf(text, sizeof text,
           "TOODEEP the reply holds arrays nested more than %d deep: have the command return less nested data, or one "
           "string",
           MC_REPLY_DEPTH_MAX);
  replies->too_deep = false;
  add_text(replies, MC_VALUE_ERROR, mc_slice_of(text));
}

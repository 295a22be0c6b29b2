/* Member names of a JSON text: see json_key.h. */
#include "lualib/json_key.h"

#include <stdlib.h>

#define PAIRWISE_KEYS 24 /* up to so many keys, comparing each with each beats sorting */

static char *write_utf8(char *out, unsigned code) {
  static const unsigned char lead[] = {0, 0xc0, 0xe0, 0xf0};
  int tail = code < 0x80 ? 0 : code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
  *out++ = (char)(lead[tail] | (code >> (6 * tail)));
  while (tail--)
    *out++ = (char)(0x80 | ((code >> (6 * tail)) & 0x3f));
  return out;
}

static unsigned read_hex4(const char *at) {
  char digits[5] = {at[0], at[1], at[2], at[3], 0};
  return (unsigned)strtoul(digits, NULL, 16) & 0xffff;
}

/* Reads `uXXXX`, and the second half when it is the first of a surrogate pair. */
static const char *read_unicode(const char *at, const char *end, unsigned *code) {
  if (end - at < 5)
    return end;
  *code = read_hex4(at + 1);
  at += 5;
  if (*code >= 0xd800 && *code < 0xdc00 && end - at >= 6) {
    *code = 0x10000 + ((*code & 0x3ff) << 10) + (read_hex4(at + 2) & 0x3ff);
    at += 6;
  }
  return at;
}

char *mc_json_key_unescape(mc_slice raw, char *out) {
  static const char from[] = "bfnrt", to[] = "\b\f\n\r\t";
  const char *at = raw.data, *end = raw.data + raw.size;
  while (at < end) {
    unsigned code = 0;
    if (*at != '\\' || at + 1 == end) {
      *out++ = *at++;
    } else if (at[1] == 'u') {
      at = read_unicode(at + 1, end, &code);
      out = write_utf8(out, code);
    } else {
      const char *letter = memchr(from, at[1], sizeof from - 1);
      *out++ = letter ? to[letter - from] : at[1];
      at += 2;
    }
  }
  return out;
}

static int compare(const void *left, const void *right) {
  const mc_slice *a = left, *b = right;
  if (a->size != b->size)
    return a->size < b->size ? -1 : 1;
  return a->size ? memcmp(a->data, b->data, a->size) : 0;
}

static const mc_slice *find_equal_neighbours(const mc_slice *keys, size_t count) {
  for (size_t i = 1; i < count; i++)
    if (compare(&keys[i - 1], &keys[i]) == 0)
      return &keys[i];
  return NULL;
}

const mc_slice *mc_json_key_duplicate(mc_slice *keys, size_t count) {
  if (count > PAIRWISE_KEYS) {
    qsort(keys, count, sizeof *keys, compare);
    return find_equal_neighbours(keys, count);
  }
  for (size_t i = 1; i < count; i++)
    for (size_t j = 0; j < i; j++)
      if (mc_slice_equal(keys[i], keys[j]))
        return &keys[i];
  return NULL;
}

/* "Did you mean": see nearest.h. */
#include "base/nearest.h"

#include <ctype.h>
#include <string.h>

#define LONGEST 64 /* names longer than this are not compared: no option's is */

static int letter(char c) {
  return c == '-' ? '_' : tolower((unsigned char)c);
}

static size_t least(size_t a, size_t b) {
  return a < b ? a : b;
}

/* Levenshtein's distance, one row of the table at a time; both texts are at most LONGEST long. */
static size_t distance(const char *a, const char *b) {
  size_t row[LONGEST + 1], width = strlen(b);
  for (size_t j = 0; j <= width; j++)
    row[j] = j;
  for (size_t i = 1; a[i - 1]; i++) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= width; j++) {
      size_t changed = diagonal + (letter(a[i - 1]) != letter(b[j - 1]));
      diagonal = row[j];
      row[j] = least(changed, 1 + least(row[j], row[j - 1]));
    }
  }
  return row[width];
}

const char *mc_name_nearest(const char *name, const char *const *names, size_t count) {
  size_t length = strlen(name);
  if (length > LONGEST)
    return NULL;
  const char *nearest = NULL;
  size_t limit = length / 3 > 2 ? length / 3 : 2;
  size_t best = limit + 1;
  for (size_t i = 0; i < count; i++) {
    if (strlen(names[i]) > LONGEST)
      continue;
    size_t changes = distance(name, names[i]);
    if (changes < best && changes < length) { /* a name of which no letter fits was not meant */
      best = changes;
      nearest = names[i];
    }
  }
  return nearest;
}

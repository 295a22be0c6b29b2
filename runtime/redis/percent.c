/* Percent-encoded text: see percent.h. */
#include "redis/percent.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static int hex_digit(char c) {
  if (c >= '0' && c <= '9')
    return c - '0';
  c = (char)tolower((unsigned char)c);
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int mc_percent_decode(mc_slice part, const char *name, char **out, mc_err *err) {
  char *text = mc_alloc(part.size + 1);
  size_t size = 0;
  for (size_t i = 0; i < part.size; i++) {
    int byte = (unsigned char)part.data[i];
    if (byte == '%') {
      int high = i + 2 < part.size ? hex_digit(part.data[i + 1]) : -1;
      int low = high >= 0 ? hex_digit(part.data[i + 2]) : -1;
      byte = low >= 0 ? high * 16 + low : -1;
      i += 2;
    }
    if (byte <= 0) {
      explicit_bzero(text, size);
      free(text);
      return mc_fail(err, MC_EINVALID,
                     "Redis address: the %s is badly percent-encoded: after %% come two hex digits, and not 00", name);
    }
    text[size++] = (char)byte;
  }
  text[size] = '\0';
  *out = text;
  return 0;
}

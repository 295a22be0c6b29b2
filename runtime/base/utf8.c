/* UTF-8: see utf8.h. */
#include "base/utf8.h"

#include <stdint.h>

/* The length in bytes of the character at `at`, 0 when what stands there is not one. */
static size_t character_size(const unsigned char *at, size_t left) {
  if (at[0] < 0x80)
    return 1;
  size_t size = at[0] >= 0xf0 ? 4 : at[0] >= 0xe0 ? 3 : at[0] >= 0xc2 ? 2 : 0;
  if (size == 0 || at[0] > 0xf4 || size > left)
    return 0;
  for (size_t i = 1; i < size; i++)
    if ((at[i] & 0xc0) != 0x80)
      return 0;
  bool overlong = (at[0] == 0xe0 && at[1] < 0xa0) || (at[0] == 0xf0 && at[1] < 0x90);
  bool surrogate = at[0] == 0xed && at[1] > 0x9f;
  bool too_large = at[0] == 0xf4 && at[1] > 0x8f;
  return overlong || surrogate || too_large ? 0 : size;
}

bool mc_utf8_valid(mc_slice text) {
  const unsigned char *at = (const unsigned char *)text.data;
  for (size_t i = 0; i < text.size;) {
    size_t size = character_size(at + i, text.size - i);
    if (size == 0)
      return false;
    i += size;
  }
  return true;
}

bool mc_utf8_clean(mc_slice text) {
  return (text.size == 0 || !memchr(text.data, '\0', text.size)) && mc_utf8_valid(text);
}

void mc_utf8_sanitize(mc_slice text, size_t max_size, mc_buf *out) {
  static const char replacement[] = "\xef\xbf\xbd";
  const unsigned char *at = (const unsigned char *)text.data;
  size_t start = out->size;
  for (size_t i = 0; i < text.size;) {
    size_t size = at[i] ? character_size(at + i, text.size - i) : 0;
    size_t grows = size ? size : 3;
    if (out->size - start + grows > max_size) {
      mc_buf_add_text(out, "...");
      return;
    }
    if (size)
      mc_buf_add(out, at + i, size);
    else
      mc_buf_add(out, replacement, 3);
    i += size ? size : 1;
  }
}

/* UTF-8: what may enter the text fields of a task message. Go's decoder refuses a message with one bad byte. */
#ifndef MC_BASE_UTF8_H
#define MC_BASE_UTF8_H

#include "base/buf.h"

/* Valid UTF-8 (no surrogates, nothing overlong, at most U+10FFFF). NUL counts as valid here. */
bool mc_utf8_valid(mc_slice text);

/* Valid UTF-8 and free of NUL: fit for type, id, queue, group and headers. */
bool mc_utf8_clean(mc_slice text);

/* Appends text to out with every bad byte and every NUL replaced by U+FFFD, cut at a character once max_size bytes
 * (of output) are reached; three dots mark a cut.
 */
void mc_utf8_sanitize(mc_slice text, size_t max_size, mc_buf *out);

#endif

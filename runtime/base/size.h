/* Sizes as people write them: "256M", "1.5G", "512KB", or a bare number of bytes. Units are powers of 1024. */
#ifndef MC_BASE_SIZE_H
#define MC_BASE_SIZE_H

#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

/* Units: B K M G T in either case, also as KB or KiB. Negative, empty and unknown units are errors. */
int mc_size_parse(const char *text, int64_t *out_bytes, mc_err *err);

/* In the largest unit that divides it: "256M"; of 0: "0". */
void mc_size_show(int64_t bytes, char *text, size_t size);

/* For people, in M: "263M". */
void mc_size_round(int64_t bytes, char *text, size_t size);

#endif

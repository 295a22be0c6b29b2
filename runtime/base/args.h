/* The arguments of one Redis command, owned as one run of bytes. A zeroed mc_args is empty and ready. */
#ifndef MC_BASE_ARGS_H
#define MC_BASE_ARGS_H

#include "base/buf.h"

typedef struct mc_args {
  mc_buf bytes; /* all arguments, one after the other */
  size_t *ends; /* ends[i]: where argument i ends in bytes */
  size_t count, room;
} mc_args;

void mc_args_deinit(mc_args *args); /* frees; empty and ready again */
void mc_args_clear(mc_args *args);  /* empties; keeps the memory */
void mc_args_add(mc_args *args, mc_slice argument);
void mc_args_add_text(mc_args *args, const char *argument);
void mc_args_add_int(mc_args *args, int64_t argument);
void mc_args_printf(mc_args *args, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* For an argument of several parts: add to args->bytes, then end it. */
void mc_args_end(mc_args *args);

mc_slice mc_args_at(const mc_args *args, size_t i);

#endif

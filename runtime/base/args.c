/* The arguments of one Redis command: see args.h. */
#include "base/args.h"

#include "base/mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void mc_args_deinit(mc_args *args) {
  mc_buf_deinit(&args->bytes);
  free(args->ends);
  *args = (mc_args){0};
}

void mc_args_clear(mc_args *args) {
  mc_buf_clear(&args->bytes);
  args->count = 0;
}

void mc_args_end(mc_args *args) {
  if (args->count == args->room) {
    args->room = args->room ? args->room * 2 : 16;
    args->ends = mc_realloc(args->ends, args->room * sizeof *args->ends);
  }
  args->ends[args->count++] = args->bytes.size;
}

void mc_args_add(mc_args *args, mc_slice argument) {
  mc_buf_add_slice(&args->bytes, argument);
  mc_args_end(args);
}

void mc_args_add_text(mc_args *args, const char *argument) {
  mc_args_add(args, mc_slice_of(argument));
}

void mc_args_add_int(mc_args *args, int64_t argument) {
  char digits[24];
  int size = snprintf(digits, sizeof digits, "%lld", (long long)argument);
  mc_args_add(args, (mc_slice){digits, (size_t)size});
}

void mc_args_printf(mc_args *args, const char *format, ...) {
  char text[1024];
  va_list list;
  va_start(list, format);
  int size = vsnprintf(text, sizeof text, format, list);
  va_end(list);
  mc_args_add(args, (mc_slice){text, size < 0 ? 0 : (size_t)size < sizeof text ? (size_t)size : sizeof text - 1});
}

mc_slice mc_args_at(const mc_args *args, size_t i) {
  size_t start = i ? args->ends[i - 1] : 0;
  return (mc_slice){args->bytes.data + start, args->ends[i] - start};
}

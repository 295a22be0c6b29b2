/* Error codes and error texts: see err.h. */
#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>

const char *mc_err_name(int code) {
  switch (code) {
  case 0:
    return "OK";
#define X(suffix, value, name, text)                                                                                   \
  case MC_E##suffix:                                                                                                   \
    return name;
    MC_ERRORS(X)
#undef X
  default:
    return "INTERNAL";
  }
}

const char *mc_err_text(int code) {
  switch (code) {
  case 0:
    return "no error";
#define X(suffix, value, name, text)                                                                                   \
  case MC_E##suffix:                                                                                                   \
    return text;
    MC_ERRORS(X)
#undef X
  default:
    return "internal error";
  }
}

int mc_fail(mc_err *err, int code, const char *format, ...) {
  if (err) {
    va_list args;
    va_start(args, format);
    vsnprintf(err->text, sizeof err->text, format, args);
    va_end(args);
  }
  return code;
}

/* Names of queues: see queue_name.h. */
#include "base/queue_name.h"

#include "base/utf8.h"

#include <string.h>

bool mc_queue_name_usable(mc_slice name) {
  for (size_t i = 0; i < name.size; i++) {
    unsigned char c = (unsigned char)name.data[i];
    if (c <= ' ' || c == 0x7f || strchr("=,{}", c))
      return false;
  }
  return name.size > 0 && mc_utf8_clean(name);
}

/* Memory: see mem.h. */
#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *checked(void *memory, size_t size) {
  if (memory || size == 0)
    return memory;
  fprintf(stderr, "mooncrew: out of memory (%zu bytes asked for)\n", size);
  abort();
}

void *mc_alloc(size_t size) {
  return checked(malloc(size), size);
}

void *mc_zalloc(size_t size) {
  return checked(calloc(1, size), size);
}

void *mc_realloc(void *old, size_t size) {
  return checked(realloc(old, size), size);
}

char *mc_strdup(const char *text) {
  return text ? mc_strndup(text, strlen(text)) : NULL;
}

char *mc_strndup(const char *bytes, size_t length) {
  char *copy = mc_alloc(length + 1);
  if (length)
    memcpy(copy, bytes, length);
  copy[length] = '\0';
  return copy;
}

/* What an answer points to: see memory.h. */
#include "client/memory.h"

#include "base/mem.h"
#include "redis/arena.h"

#include <stdlib.h>

struct mooncrew_memory {
  mc_arena arena;
};

mc_memory *mc_memory_new(void) {
  return mc_zalloc(sizeof(mc_memory));
}

void mc_memory_free(mc_memory *memory) {
  if (memory)
    mc_arena_deinit(&memory->arena);
  free(memory);
}

void *mc_memory_take(mc_memory *memory, size_t count, size_t size) {
  void *taken = mc_arena_take(&memory->arena, count * size + 1);
  return memset(taken, 0, count * size + 1);
}

char *mc_memory_text(mc_memory *memory, mc_slice text) {
  char *copy = mc_memory_take(memory, text.size + 1, 1);
  if (text.size)
    memcpy(copy, text.data, text.size);
  return copy;
}

char *mc_memory_text_or_null(mc_memory *memory, mc_slice text) {
  return text.size ? mc_memory_text(memory, text) : NULL;
}

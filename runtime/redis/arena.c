/* Memory handed out piece by piece: see arena.h.
 *
 * Pieces come from chunks that double in size. A reset melts several chunks into one, so that after the first few
 * replies of a kind there is one chunk, and taking a piece is an addition.
 */
#include "redis/arena.h"

#include <stdint.h>
#include <stdlib.h>

#include "base/mem.h"

#define FIRST_CHUNK ((size_t)4096)
#define KEEP_AT_MOST ((size_t)1 << 20)

struct mc_arena_chunk {
  struct mc_arena_chunk *next;
  size_t size, used;
  uint64_t bytes[];
};

static void chunk_add(mc_arena *arena, size_t size);
static void chunks_free(mc_arena *arena);

void mc_arena_deinit(mc_arena *arena) {
  chunks_free(arena);
}

void *mc_arena_take(mc_arena *arena, size_t size) {
  size = (size + 7) & ~(size_t)7;
  struct mc_arena_chunk *chunk = arena->chunk;
  if (!chunk || chunk->size - chunk->used < size) {
    size_t wanted = arena->total > FIRST_CHUNK ? arena->total : FIRST_CHUNK;
    chunk_add(arena, size > wanted ? size : wanted);
    chunk = arena->chunk;
  }
  void *piece = (char *)chunk->bytes + chunk->used;
  chunk->used += size;
  return piece;
}

void mc_arena_reset(mc_arena *arena) {
  struct mc_arena_chunk *chunk = arena->chunk;
  if (!chunk)
    return;
  if (!chunk->next && chunk->size <= KEEP_AT_MOST) {
    chunk->used = 0;
    return;
  }
  size_t total = arena->total;
  chunks_free(arena);
  if (total <= KEEP_AT_MOST)
    chunk_add(arena, total);
}

static void chunk_add(mc_arena *arena, size_t size) {
  struct mc_arena_chunk *chunk = mc_alloc(sizeof *chunk + size);
  *chunk = (struct mc_arena_chunk){.next = arena->chunk, .size = size};
  arena->chunk = chunk;
  arena->total += size;
}

static void chunks_free(mc_arena *arena) {
  while (arena->chunk) {
    struct mc_arena_chunk *next = arena->chunk->next;
    free(arena->chunk);
    arena->chunk = next;
  }
  arena->total = 0;
}

/* Random numbers: see random.h. Small requests are served from a block, since ids are made by the thousand. */
#include "base/random.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define BLOCK_SIZE 1024

static _Thread_local struct {
  unsigned char bytes[BLOCK_SIZE];
  size_t left;
} block;

static pthread_once_t watch_forks_once = PTHREAD_ONCE_INIT;

/* A child must not hand out the bytes that its parent hands out. */
static void forget_block(void) {
  block.left = 0;
}

static void watch_forks(void) {
  pthread_atfork(NULL, NULL, forget_block);
}

static void fill(void *bytes, size_t size) {
  unsigned char *at = bytes;
  while (size) {
    size_t part = size < 256 ? size : 256; /* up to 256 bytes getrandom neither blocks nor stops early */
    if (getrandom(at, part, 0) != (ssize_t)part) {
      perror("mooncrew: getrandom");
      abort();
    }
    at += part;
    size -= part;
  }
}

void mc_random_bytes(void *bytes, size_t size) {
  if (size > BLOCK_SIZE) {
    fill(bytes, size);
    return;
  }
  pthread_once(&watch_forks_once, watch_forks);
  if (block.left < size) {
    fill(block.bytes, BLOCK_SIZE);
    block.left = BLOCK_SIZE;
  }
  unsigned char *from = block.bytes + (BLOCK_SIZE - block.left);
  memcpy(bytes, from, size);
  memset(from, 0, size);
  block.left -= size;
}

uint32_t mc_random_below(uint32_t limit) {
  uint64_t wide;
  if (limit == 0)
    return 0;
  mc_random_bytes(&wide, sizeof wide);
  return (uint32_t)(wide % limit);
}

void mc_random_uuid(char out[MC_UUID_SIZE]) {
  static const char hex[] = "0123456789abcdef";
  unsigned char raw[16];
  mc_random_bytes(raw, sizeof raw);
  raw[6] = (unsigned char)((raw[6] & 0x0f) | 0x40);
  raw[8] = (unsigned char)((raw[8] & 0x3f) | 0x80);
  for (int i = 0; i < 16; i++) {
    if (i == 4 || i == 6 || i == 8 || i == 10)
      *out++ = '-';
    *out++ = hex[raw[i] >> 4];
    *out++ = hex[raw[i] & 15];
  }
  *out = '\0';
}

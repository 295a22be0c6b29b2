/* Random numbers from the kernel: for ids, jitter and secrets. */
#ifndef MC_BASE_RANDOM_H
#define MC_BASE_RANDOM_H

#include <stddef.h>
#include <stdint.h>

#define MC_UUID_SIZE 37 /* with the NUL */

void mc_random_bytes(void *bytes, size_t size);
uint32_t mc_random_below(uint32_t limit);    /* 0 … limit-1; 0 when limit is 0 */
void mc_random_uuid(char out[MC_UUID_SIZE]); /* version 4, lower case */

#endif

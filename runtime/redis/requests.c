/* The commands that wait for their replies: see requests.h. */
#include "redis/requests.h"

#include <stdlib.h>

#include "base/mem.h"

#define FIRST_ROOM 64

static void grow(mc_requests *requests);

void mc_requests_deinit(mc_requests *requests) {
  free(requests->ring);
  *requests = (mc_requests){0};
}

void mc_requests_push(mc_requests *requests, const mc_request *request) {
  if (requests->count == requests->room)
    grow(requests);
  requests->ring[(requests->head + requests->count) & (requests->room - 1)] = *request;
  requests->count++;
}

mc_request *mc_requests_first(mc_requests *requests) {
  return requests->count ? &requests->ring[requests->head] : NULL;
}

mc_request mc_requests_pop(mc_requests *requests) {
  mc_request first = requests->ring[requests->head];
  requests->head = (requests->head + 1) & (requests->room - 1);
  requests->count--;
  return first;
}

static void grow(mc_requests *requests) {
  size_t room = requests->room ? requests->room * 2 : FIRST_ROOM;
  mc_request *ring = mc_alloc(room * sizeof *ring);
  for (size_t i = 0; i < requests->count; i++)
    ring[i] = requests->ring[(requests->head + i) & (requests->room - 1)];
  free(requests->ring);
  requests->ring = ring;
  requests->room = room;
  requests->head = 0;
}

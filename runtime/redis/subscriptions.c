/* What a connection is subscribed to: see subscriptions.h. */
#include "redis/subscriptions.h"

#include <strings.h>

#include "base/mem.h"

typedef struct family_member {
  mc_slice name;
  bool patterns;
  bool may_be_bare; /* without names it means all of them, and is answered once for each */
} family_member;

static const family_member family[] = {
    {MC_SLICE_LITERAL("subscribe"), false, false},
    {MC_SLICE_LITERAL("unsubscribe"), false, true},
    {MC_SLICE_LITERAL("psubscribe"), true, false},
    {MC_SLICE_LITERAL("punsubscribe"), true, true},
};

static const family_member *member_find(mc_slice name);
static const family_member *confirmed_member(const mc_value *reply);
static bool is_message(const mc_value *reply);

uint32_t mc_subscriptions_expected(mc_slice command, size_t names) {
  const family_member *member = member_find(command);
  if (!member)
    return 0;
  if (names == 0)
    return member->may_be_bare ? MC_CONFIRMED_ALL : 1; /* a bare SUBSCRIBE is answered by one error */
  return (uint32_t)names;
}

bool mc_subscriptions_is_push(const mc_subscriptions *subscriptions, const mc_request *first, const mc_value *reply) {
  if (reply->kind != MC_VALUE_ARRAY || subscriptions->channels + subscriptions->patterns == 0)
    return false;
  return is_message(reply) || (!(first && first->confirmations) && confirmed_member(reply));
}

bool mc_subscriptions_confirm(mc_subscriptions *subscriptions, mc_request *first, const mc_value *reply) {
  const family_member *member = confirmed_member(reply);
  if (!member)
    return true; /* an error answers the command as a whole */
  uint32_t *mine = member->patterns ? &subscriptions->patterns : &subscriptions->channels;
  uint32_t other = member->patterns ? subscriptions->channels : subscriptions->patterns;
  uint32_t total = (uint32_t)reply->items[2]->integer;
  if (first->confirmations == MC_CONFIRMED_ALL)
    first->confirmations = *mine ? *mine : 1;
  *mine = total > other ? total - other : 0;
  return --first->confirmations == 0;
}

static const family_member *member_find(mc_slice name) {
  for (size_t i = 0; i < MC_COUNT(family); i++) {
    if (name.size == family[i].name.size && strncasecmp(name.data, family[i].name.data, name.size) == 0)
      return &family[i];
  }
  return NULL;
}

/* A confirmation is [name of the command, channel, how many are subscribed now]. */
static const family_member *confirmed_member(const mc_value *reply) {
  if (reply->kind != MC_VALUE_ARRAY || reply->count != 3 || reply->items[0]->kind != MC_VALUE_STRING ||
      reply->items[2]->kind != MC_VALUE_INTEGER)
    return NULL;
  return member_find(reply->items[0]->text);
}

static bool is_message(const mc_value *reply) {
  const mc_value *kind = mc_value_item(reply, 0);
  return (reply->count == 3 && mc_value_is_text(kind, "message")) ||
         (reply->count == 4 && mc_value_is_text(kind, "pmessage"));
}

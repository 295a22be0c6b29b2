/* The task message codec: see message.h. protobuf-c does the wire; the checks are ours.
 *
 * Decoding takes its memory from an arena: one block sized by the message, so that a task costs one malloc and one
 * free. A message of unusual shape (very many tiny headers) takes further blocks.
 */
#include "protocol/message.h"

#include <stddef.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/utf8.h"
#include "protocol/wire.h"

#define ERROR_MSG_MAX 4096 /* bytes of an error text that are kept */

typedef struct arena_block {
  struct arena_block *next;
  size_t used, size;
  _Alignas(max_align_t) char bytes[];
} arena_block;

/* Headers as protobuf-c wants them: an array of pointers to messages. */
typedef struct header_list {
  const mc_header **sorted;
  Mooncrew__Header *encoded;
  Mooncrew__Header **pointers;
} header_list;

static void header_list_init(header_list *list, const mc_message *message);
static void header_list_deinit(header_list *list);
static mc_slice sanitize_error(mc_slice text, mc_buf *memory);
static arena_block *arena_new(arena_block *next, size_t size);
static void *arena_alloc(void *arena, size_t size);
static void arena_keep(void *arena, void *memory);
static void arena_free(arena_block *first);
static void read_fields(const Mooncrew__TaskMessage *from, arena_block **arena, mc_message *out);
static int check_message(const mc_message *message, mc_err *err);

void mc_message_encode(const mc_message *message, mc_buf *out) {
  Mooncrew__TaskMessage wire = MOONCREW__TASK_MESSAGE__INIT;
  mc_buf error_memory = {0};
  header_list headers;
  header_list_init(&headers, message);
  wire.type = mc_wire_bytes(message->type);
  wire.payload = mc_wire_bytes(message->payload);
  wire.id = mc_wire_bytes(message->id);
  wire.queue = mc_wire_bytes(message->queue);
  wire.max_retry = message->max_retry;
  wire.retried = message->retried;
  wire.error_msg = mc_wire_bytes(sanitize_error(message->error_msg, &error_memory));
  wire.timeout_s = message->timeout_s;
  wire.deadline_s = message->deadline_s;
  wire.unique_key = mc_wire_bytes(message->unique_key);
  wire.last_failed_at_s = message->last_failed_at_s;
  wire.retention_s = message->retention_s;
  wire.completed_at_s = message->completed_at_s;
  wire.group_key = mc_wire_bytes(message->group_key);
  wire.headers = headers.pointers;
  wire.n_headers = message->header_count;
  size_t size = mooncrew__task_message__get_packed_size(&wire);
  out->size += mooncrew__task_message__pack(&wire, (uint8_t *)mc_buf_reserve(out, size));
  header_list_deinit(&headers);
  mc_buf_deinit(&error_memory);
}

int mc_message_decode(mc_slice bytes, mc_message_box *out, mc_err *err) {
  /* The text once more, and what protobuf-c and we lay beside it for fields and a header or two. */
  arena_block *arena = arena_new(NULL, sizeof(Mooncrew__TaskMessage) + 512 + bytes.size);
  ProtobufCAllocator allocator = {.alloc = arena_alloc, .free = arena_keep, .allocator_data = &arena};
  mc_message message;
  int code = 0;
  Mooncrew__TaskMessage *wire =
      mooncrew__task_message__unpack(&allocator, bytes.size, (const uint8_t *)(bytes.size ? bytes.data : ""));
  if (!wire) {
    code = mc_fail(err, MC_EMALFORMED, "the task message is not protobuf (%zu bytes)", bytes.size);
    goto fail;
  }
  read_fields(wire, &arena, &message);
  if ((code = check_message(&message, err)) != 0)
    goto fail;
  *out = (mc_message_box){message, arena};
  return 0;
fail:
  arena_free(arena);
  return code;
}

void mc_message_free(mc_message_box *box) {
  arena_free(box->memory);
  *box = (mc_message_box){0};
}

bool mc_text_is_blank(mc_slice text) {
  for (size_t i = 0; i < text.size; i++)
    if (!memchr(" \t\r\n\v\f", text.data[i], 6))
      return false;
  return true;
}

/* By name; of two with the same name the later one stays later, and is the one that counts in a map. */
static int compare_headers(const void *a, const void *b) {
  const mc_header *left = *(const mc_header *const *)a, *right = *(const mc_header *const *)b;
  size_t common = left->name.size < right->name.size ? left->name.size : right->name.size;
  int order = common ? memcmp(left->name.data, right->name.data, common) : 0;
  if (order == 0 && left->name.size != right->name.size)
    order = left->name.size < right->name.size ? -1 : 1;
  return order != 0 ? order : left < right ? -1 : left > right;
}

static void header_list_init(header_list *list, const mc_message *message) {
  size_t count = message->header_count;
  *list = (header_list){0};
  if (count == 0)
    return;
  list->sorted = mc_alloc(count * sizeof *list->sorted);
  list->encoded = mc_alloc(count * sizeof *list->encoded);
  list->pointers = mc_alloc(count * sizeof *list->pointers);
  for (size_t i = 0; i < count; i++)
    list->sorted[i] = &message->headers[i];
  qsort(list->sorted, count, sizeof *list->sorted, compare_headers);
  for (size_t i = 0; i < count; i++) {
    mooncrew__header__init(&list->encoded[i]);
    list->encoded[i].name = mc_wire_bytes(list->sorted[i]->name);
    list->encoded[i].value = mc_wire_bytes(list->sorted[i]->value);
    list->pointers[i] = &list->encoded[i];
  }
}

static void header_list_deinit(header_list *list) {
  free(list->sorted);
  free(list->encoded);
  free(list->pointers);
}

/* The text itself when it is fit for Go's decoder and of decent size; else a mended copy in memory. */
static mc_slice sanitize_error(mc_slice text, mc_buf *memory) {
  if (text.size <= ERROR_MSG_MAX && mc_utf8_clean(text))
    return text;
  mc_utf8_sanitize(text, ERROR_MSG_MAX, memory);
  return mc_buf_slice(memory);
}

static arena_block *arena_new(arena_block *next, size_t size) {
  arena_block *block = mc_alloc(sizeof *block + size);
  block->next = next;
  block->used = 0;
  block->size = size;
  return block;
}

/* arena is an arena_block **: the block being filled. */
static void *arena_alloc(void *arena, size_t size) {
  arena_block **first = arena;
  size_t align = _Alignof(max_align_t), rounded = (size + align - 1) & ~(align - 1);
  if ((*first)->size - (*first)->used < rounded)
    *first = arena_new(*first, rounded + (*first)->size * 2);
  void *memory = (*first)->bytes + (*first)->used;
  (*first)->used += rounded;
  return memory;
}

/* Pieces are not given back one by one. */
static void arena_keep(void *arena, void *memory) {
  (void)arena;
  (void)memory;
}

static void arena_free(arena_block *first) {
  while (first) {
    arena_block *next = first->next;
    free(first);
    first = next;
  }
}

static const mc_header *read_headers(const Mooncrew__TaskMessage *from, arena_block **arena) {
  if (from->n_headers == 0)
    return NULL;
  mc_header *headers = arena_alloc(arena, from->n_headers * sizeof *headers);
  for (size_t i = 0; i < from->n_headers; i++)
    headers[i] = (mc_header){mc_wire_slice(from->headers[i]->name), mc_wire_slice(from->headers[i]->value)};
  return headers;
}

static void read_fields(const Mooncrew__TaskMessage *from, arena_block **arena, mc_message *out) {
  *out = (mc_message){
      .type = mc_wire_slice(from->type),
      .payload = mc_wire_slice(from->payload),
      .id = mc_wire_slice(from->id),
      .queue = mc_wire_slice(from->queue),
      .max_retry = from->max_retry,
      .retried = from->retried,
      .error_msg = mc_wire_slice(from->error_msg),
      .timeout_s = from->timeout_s,
      .deadline_s = from->deadline_s,
      .unique_key = mc_wire_slice(from->unique_key),
      .last_failed_at_s = from->last_failed_at_s,
      .retention_s = from->retention_s,
      .completed_at_s = from->completed_at_s,
      .group_key = mc_wire_slice(from->group_key),
      .headers = read_headers(from, arena),
      .header_count = from->n_headers,
  };
}

static int check_texts(const mc_message *message, mc_err *err) {
  const struct {
    const char *name;
    mc_slice text;
    bool needed;
  } fields[] = {
      {"type", message->type, true},
      {"id", message->id, true},
      {"queue", message->queue, false},
      {"unique_key", message->unique_key, false},
      {"group_key", message->group_key, false},
  };
  for (size_t i = 0; i < MC_COUNT(fields); i++) {
    if (!mc_utf8_clean(fields[i].text))
      return mc_fail(err, MC_EMALFORMED, "the task message's %s is not UTF-8 text, or holds a NUL", fields[i].name);
    if (fields[i].needed && mc_text_is_blank(fields[i].text))
      return mc_fail(err, MC_EMALFORMED, "the task message's %s is blank", fields[i].name);
  }
  for (size_t i = 0; i < message->header_count; i++)
    if (!mc_utf8_clean(message->headers[i].name) || !mc_utf8_clean(message->headers[i].value))
      return mc_fail(err, MC_EMALFORMED, "a header of the task message is not UTF-8 text, or holds a NUL");
  /* Whatever failed may have put a NUL into its error text, and that is no reason to refuse the task. */
  if (!mc_utf8_valid(message->error_msg))
    return mc_fail(err, MC_EMALFORMED, "the task message's error_msg is not UTF-8 text");
  return 0;
}

static int check_message(const mc_message *message, mc_err *err) {
  if (message->max_retry < 0 || message->retried < 0)
    return mc_fail(err, MC_EMALFORMED, "the task message has a negative number of retries (max %d, retried %d)",
                   message->max_retry, message->retried);
  return check_texts(message, err);
}

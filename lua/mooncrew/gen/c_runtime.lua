-- The static functions of generated C: what writes canonical JSON, as lua/mooncrew/json/encode.lua does, byte for byte.
-- Only what a file uses is put into it, since an unused static function is a warning.

local M = {}

---@type { name: string, needs: string[], text: string }[]  in the order in which they stand in a file
local CHUNKS = {
  { name = "writer", needs = {}, text = [[
/* Canonical JSON that grows, until something does not fit: then the first error stands, and the rest is not written. */
typedef struct json_writer {
  char *data;
  size_t size, room;
  int failed;
  mooncrew_error *error; /* may be NULL */
} json_writer;

/* Where a value stands in the payload, for errors. */
typedef struct json_path {
  const struct json_path *up;
  const char *name; /* NULL: an item */
  size_t index;
} json_path;

static void json_add(json_writer *w, const char *text, size_t size) {
  if (w->room - w->size < size) {
    w->room = (w->room + size) * 2;
    w->data = (char *)realloc(w->data, w->room);
    if (!w->data)
      abort();
  }
  if (size)
    memcpy(w->data + w->size, text, size);
  w->size += size;
}

static void json_text(json_writer *w, const char *text) {
  json_add(w, text, strlen(text));
}

static size_t json_place(const json_path *at, char *out, size_t room) {
  size_t used = at->up ? json_place(at->up, out, room) : 0;
  int more;
  if (at->name)
    more = snprintf(out + used, room - used, at->up ? ".%s" : "%s", at->name);
  else
    more = snprintf(out + used, room - used, "[%llu]", (unsigned long long)at->index);
  used += more > 0 ? (size_t)more : 0;
  return used < room ? used : room - 1;
}

static void json_fail(json_writer *w, const json_path *at, const char *what) {
  char place[256] = "";
  if (w->failed)
    return;
  w->failed = 1;
  if (!w->error)
    return;
  json_place(at, place, sizeof place);
  w->error->code = MOONCREW_EINVALID;
  snprintf(w->error->message, sizeof w->error->message, "%s: %s", place, what);
}

/* Gives the text to the caller, or an error. */
static int json_finish(json_writer *w, char **out, size_t *out_size) {
  if (w->failed) {
    free(w->data);
    return MOONCREW_EINVALID;
  }
  json_add(w, "", 1);
  *out = w->data;
  *out_size = w->size - 1;
  return MOONCREW_OK;
}
]] },
  { name = "key", needs = {}, text = [[
/* A field's name, quoted and with its colon. */
static void json_key(json_writer *w, const char *quoted) {
  if (w->data[w->size - 1] != '{')
    json_text(w, ",");
  json_text(w, quoted);
}
]] },
  { name = "depth", needs = {}, text = [[
/* What holds itself in a ring would never end, and a worker reads 128 levels. */
static int json_too_deep(json_writer *w, const json_path *at) {
  int depth = 0;
  for (const json_path *up = at; up; up = up->up)
    depth++;
  if (depth > 128)
    json_fail(w, at, "nested deeper than 128 levels");
  return w->failed;
}
]] },
  { name = "utf8", needs = {}, text = [[
/* The size of the character at text, 0 when it is not valid UTF-8. */
static size_t json_character(const unsigned char *text) {
  static const unsigned least[] = {0, 0, 0x80, 0x800, 0x10000};
  size_t size = text[0] < 0x80 ? 1 : text[0] >> 5 == 6 ? 2 : text[0] >> 4 == 14 ? 3 : text[0] >> 3 == 30 ? 4 : 0;
  unsigned code = size > 1 ? text[0] & (0x7fu >> size) : text[0];
  for (size_t i = 1; i < size; i++) {
    if (text[i] >> 6 != 2)
      return 0;
    code = code << 6 | (text[i] & 0x3fu);
  }
  if (size > 1 && (code < least[size] || code > 0x10ffff || (code >= 0xd800 && code < 0xe000)))
    return 0;
  return size;
}

/* How many characters the text has; SIZE_MAX when it is not valid UTF-8. */
static size_t json_length(const char *text) {
  size_t count = 0;
  for (const unsigned char *c = (const unsigned char *)text; *c; count++) {
    size_t size = json_character(c);
    if (!size)
      return SIZE_MAX;
    c += size;
  }
  return count;
}
]] },
  { name = "quote", needs = {}, text = [[
static void json_quote(json_writer *w, const char *text) {
  static const char escaped[] = "\"\\\b\f\n\r\t", letters[] = "\"\\bfnrt";
  json_text(w, "\"");
  for (const char *c = text; *c; c++) {
    const char *known = strchr(escaped, *c);
    char escape[16];
    if (known)
      snprintf(escape, sizeof escape, "\\%c", letters[known - escaped]);
    else if ((unsigned char)*c < 0x20)
      snprintf(escape, sizeof escape, "\\u%04x", (unsigned)(unsigned char)*c);
    else
      snprintf(escape, sizeof escape, "%c", *c);
    json_text(w, escape);
  }
  json_text(w, "\"");
}
]] },
  { name = "string", needs = { "utf8", "quote" }, text = [[
/* min and max count characters. */
static void json_string(json_writer *w, const json_path *at, const char *text, size_t min, size_t max) {
  size_t length = text ? json_length(text) : 0;
  char what[64];
  if (!text) {
    json_fail(w, at, "required");
  } else if (length == SIZE_MAX) {
    json_fail(w, at, "the string is not valid UTF-8");
  } else if (length < min) {
    snprintf(what, sizeof what, "must have at least %llu characters", (unsigned long long)min);
    json_fail(w, at, what);
  } else if (length > max) {
    snprintf(what, sizeof what, "must have at most %llu characters", (unsigned long long)max);
    json_fail(w, at, what);
  } else {
    json_quote(w, text);
  }
}
]] },
  { name = "integer", needs = {}, text = [[
static void json_integer(json_writer *w, int64_t value) {
  char text[24];
  snprintf(text, sizeof text, "%" PRId64, value);
  json_text(w, text);
}
]] },
  { name = "number", needs = {}, text = [[
/* An integer beyond 2^53 - 1 is written with an exponent: 9.00719925474099e+15. */
static void json_tidy(char *text) {
  char *exponent = strchr(text, 'e'), *end = exponent;
  if (!exponent)
    return;
  while (end > text && end[-1] == '0')
    end--;
  if (end > text && end[-1] == '.')
    end--;
  memmove(end, exponent, strlen(exponent) + 1);
}

/* The fewest digits that read back as the same number. */
static void json_number(json_writer *w, const json_path *at, double value) {
  char text[40];
  int whole = value >= -9007199254740991.0 && value <= 9007199254740991.0 && (double)(int64_t)value == value;
  int large = value > 9007199254740991.0 || value < -9007199254740991.0;
  int digits = value > -2.2250738585072014e-308 && value < 2.2250738585072014e-308 ? 1 : 15;
  if (!(value - value == 0)) {
    json_fail(w, at, "JSON has no number for infinity or not-a-number");
    return;
  }
  if (whole)
    snprintf(text, sizeof text, "%.0f", value);
  for (; !whole && digits <= 17; digits++) {
    snprintf(text, sizeof text, large ? "%.*e" : "%.*g", large ? digits - 1 : digits, value);
    if (strtod(text, NULL) == value)
      break;
  }
  for (char *c = text; *c; c++)
    if (*c == ',') /* a locale's */
      *c = '.';
  if (large)
    json_tidy(text);
  json_text(w, text);
}
]] },
  { name = "enum", needs = {}, text = [[
static void json_enum(json_writer *w, const json_path *at, int value, const char *const *texts, int count) {
  if (value < 1 || value > count)
    json_fail(w, at, value == 0 ? "required" : "is none of the values of its enum");
  else
    json_text(w, texts[value - 1]);
}
]] },
  { name = "raw", needs = { "utf8" }, text = [[
static void json_raw(json_writer *w, const json_path *at, const char *json) {
  if (!json)
    json_fail(w, at, "required");
  else if (json[strspn(json, " \t\r\n")] == '\0' || json_length(json) == SIZE_MAX)
    json_fail(w, at, "is no JSON text");
  else
    json_text(w, json);
}
]] },
  { name = "list", needs = {}, text = [[
/* Whether there may be so many. */
static int json_count(json_writer *w, const json_path *at, const void *items, size_t count, size_t min, size_t max) {
  char what[64];
  if (count && !items) {
    json_fail(w, at, "has a count, but no items");
  } else if (count < min) {
    snprintf(what, sizeof what, "must have at least %llu items", (unsigned long long)min);
    json_fail(w, at, what);
  } else if (count > max) {
    snprintf(what, sizeof what, "must have at most %llu items", (unsigned long long)max);
    json_fail(w, at, what);
  }
  return !w->failed;
}
]] },
  { name = "unique", needs = { "list" }, text = [[
/* Where an item of a list stands among what is written. */
typedef struct json_written {
  const char *text; /* set when all are written, since they move until then */
  size_t start, size, index;
} json_written;

/* The caller hands it to json_unique. */
static json_written *json_list_written(size_t count) {
  json_written *written = (json_written *)calloc(count + 1, sizeof *written);
  if (!written)
    abort();
  return written;
}

static int json_compare_texts(const json_written *x, const json_written *y) {
  int order = memcmp(x->text, y->text, x->size < y->size ? x->size : y->size);
  return order ? order : (x->size > y->size) - (x->size < y->size);
}

static int json_compare_written(const void *a, const void *b) {
  const json_written *x = (const json_written *)a, *y = (const json_written *)b;
  int order = json_compare_texts(x, y);
  return order ? order : (x->index > y->index) - (x->index < y->index);
}

/* Fails when two items are equal, which is when their canonical texts are. Frees the list. */
static void json_unique(json_writer *w, const json_path *at, json_written *written, size_t count) {
  char what[80];
  for (size_t i = 0; i < count && !w->failed; i++) {
    written[i].text = w->data + written[i].start;
    written[i].index = i;
  }
  if (!w->failed)
    qsort(written, count, sizeof *written, json_compare_written);
  for (size_t i = 1; i < count && !w->failed; i++)
    if (json_compare_texts(&written[i - 1], &written[i]) == 0) {
      snprintf(what, sizeof what, "items %llu and %llu are equal, and must differ",
               (unsigned long long)written[i - 1].index, (unsigned long long)written[i].index);
      json_fail(w, at, what);
    }
  free(written);
}
]] },
  { name = "map", needs = { "utf8", "quote", "list" }, text = [[
/* Entries begin with their key. */
static int json_compare_keys(const void *a, const void *b) {
  const char *const *const *x = (const char *const *const *)a, *const *const *y = (const char *const *const *)b;
  return strcmp(**x, **y);
}

/* The entries by key; NULL after a failure. The caller frees. */
static const void **json_sort(json_writer *w, const json_path *at, const void *entries, size_t count, size_t size) {
  const void **sorted = (const void **)malloc((count + 1) * sizeof *sorted);
  if (!sorted)
    abort();
  for (size_t i = 0; i < count; i++) {
    const char *key = *(const char *const *)(sorted[i] = (const char *)entries + i * size);
    if (!key || json_length(key) == SIZE_MAX)
      json_fail(w, at, key ? "a key is not valid UTF-8" : "an entry has no key");
  }
  if (!w->failed)
    qsort(sorted, count, sizeof *sorted, json_compare_keys);
  for (size_t i = 1; !w->failed && i < count; i++)
    if (json_compare_keys(&sorted[i - 1], &sorted[i]) == 0)
      json_fail(w, at, "a key stands there twice");
  if (!w->failed)
    return sorted;
  free((void *)sorted);
  return NULL;
}

static void json_map_key(json_writer *w, const char *key) {
  if (w->data[w->size - 1] != '{')
    json_text(w, ",");
  json_quote(w, key);
  json_text(w, ":");
}
]] },
  { name = "send", needs = {}, text = [[
/* The options given over those that the script declares: what is as MOONCREW_OPTIONS_INIT has it was not given. */
static mooncrew_options task_options(const mooncrew_options *given, const mooncrew_options *declared) {
  mooncrew_options options;
  if (!given)
    return *declared;
  options = *given;
  if (!options.queue)
    options.queue = declared->queue;
  if (options.max_retry == 25)
    options.max_retry = declared->max_retry;
  if (options.timeout_ms == -1)
    options.timeout_ms = declared->timeout_ms;
  if (options.unique_ms == -1)
    options.unique_ms = declared->unique_ms;
  if (options.retention_ms == 0)
    options.retention_ms = declared->retention_ms;
  return options;
}

static int task_send(mooncrew_client *client, const char *type, const void *payload, size_t size,
                     const mooncrew_options *given, const mooncrew_options *declared, mooncrew_result *result,
                     mooncrew_error *error) {
  mooncrew_task task;
  task.type = type;
  task.payload = payload;
  task.payload_size = size;
  task.options = task_options(given, declared);
  return mooncrew_enqueue(client, &task, result, error);
}
]] },
  { name = "refuse", needs = {}, text = [[
static int task_refuse(int code, mooncrew_result *result, const mooncrew_error *error) {
  if (result) {
    memset(result, 0, sizeof *result);
    result->code = code;
    snprintf(result->message, sizeof result->message, "%.255s", error ? error->message : "the payload does not fit");
  }
  return code;
}
]] },
  { name = "suffix", needs = {}, text = [[
/* The caller frees. */
static char *task_type(const char *prefix, const char *rest) {
  size_t size = strlen(prefix) + strlen(rest ? rest : "") + 1;
  char *type = (char *)malloc(size);
  if (!type)
    abort();
  snprintf(type, size, "%s%s", prefix, rest ? rest : "");
  return type;
}
]] },
}

--- What the static functions are called, with spaces between them.
M.NAMES = "json_writer json_path json_add json_text json_place json_fail json_finish json_key json_too_deep "
  .. "json_character json_length json_quote json_string json_integer json_tidy json_number json_enum json_raw "
  .. "json_count json_written json_list_written json_compare_texts json_compare_written json_unique "
  .. "json_compare_keys json_sort json_map_key task_options task_refuse task_send task_type"

--- The text of the chunks that are used, and of those that they need.
---@param used table<string, boolean>  is completed
---@return string
function M.text(used)
  local parts = {}
  for i = #CHUNKS, 1, -1 do
    for _, name in ipairs(used[CHUNKS[i].name] and CHUNKS[i].needs or {}) do
      used[name] = true
    end
  end
  for _, chunk in ipairs(CHUNKS) do
    if used[chunk.name] then
      parts[#parts + 1] = chunk.text
    end
  end
  return table.concat(parts, "\n")
end

return M

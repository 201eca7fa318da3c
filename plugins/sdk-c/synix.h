// Write a synix transform in C.
//
// A plugin is a `synix_plugin` handed to `SYNIX_EXPORT` in one of its files. The host runs each unit in a fresh
// instance and drops it afterwards: what the helpers allocate lives to the end of the run and is never freed by hand.
// Texts are a pointer and a length, UTF-8, without a terminating zero.
#ifndef SYNIX_H
#define SYNIX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "transform.h"

// A text: `ptr` and `len`.
typedef transform_string_t synix_text;
// Label, kind, digest and metadata in `header`; `content` is text or bytes.
typedef transform_input_t synix_input;
// An artifact that the unit makes.
typedef transform_output_t synix_made;

// Why a transform could not do its work.
typedef enum {
  SYNIX_INVALID_CONFIG = SYNIX_PLUGIN_TYPES_TRANSFORM_ERROR_INVALID_CONFIG,
  SYNIX_INVALID_INPUT = SYNIX_PLUGIN_TYPES_TRANSFORM_ERROR_INVALID_INPUT,
  SYNIX_INVALID_ANSWER = SYNIX_PLUGIN_TYPES_TRANSFORM_ERROR_INVALID_ANSWER,
} synix_fault;

// One unit at work: what it was given and what it has made.
typedef struct {
  transform_unit_t *unit;
  const synix_input *inputs;
  size_t input_count;
  synix_text config;
  synix_made *made;
  size_t made_count;
  transform_transform_error_t error;
} synix_call;

// One user message. Zero `max_tokens` and a negative `temperature` leave the choice to the model role.
typedef struct {
  synix_text prompt;
  uint32_t max_tokens;
  double temperature;
} synix_question;

// What a plugin is.
typedef struct {
  const char *name;
  const char *version;
  const char *summary;
  // JSON Schema of the config.
  const char *config_schema;
  synix_plugin_types_shape_t shape;
  // Whether it asks the model.
  bool llm;
  // Makes the outputs of one unit; false after `synix_fail`.
  bool (*execute)(synix_call *call);
  // Divides the inputs into units; NULL for the shape per-input, else see `transform.h`.
  bool (*split)(transform_list_header_t *inputs, synix_text config, transform_list_unit_t *units,
                transform_transform_error_t *error);
} synix_plugin;

// ---- memory and texts ----

// Never NULL: a run without memory ends here.
static inline void *synix_allocate(size_t count, size_t size) {
  if (size != 0 && count > SIZE_MAX / size) abort();
  size_t bytes = count * size;
  void *memory = calloc(bytes == 0 ? 1 : bytes, 1);
  if (memory == NULL) abort();
  return memory;
}

// A text that shares the memory of a C string.
static inline synix_text synix_str(const char *text) {
  return (synix_text){(uint8_t *)text, strlen(text)};
}

static inline synix_text synix_join_parts(const synix_text *parts, size_t count) {
  size_t size = 0;
  for (size_t i = 0; i < count; i++) {
    if (parts[i].len > SIZE_MAX - size) abort();
    size += parts[i].len;
  }
  synix_text joined = {synix_allocate(size, 1), 0};
  for (size_t i = 0; i < count; i++) {
    if (parts[i].len == 0) continue;
    memcpy(joined.ptr + joined.len, parts[i].ptr, parts[i].len);
    joined.len += parts[i].len;
  }
  return joined;
}

// Joins texts: `synix_join(synix_str("a"), label)`.
#define synix_join(...)                              \
  synix_join_parts((const synix_text[]){__VA_ARGS__}, \
                   sizeof((const synix_text[]){__VA_ARGS__}) / sizeof(synix_text))

// A copy with memory of its own.
static inline synix_text synix_copy(synix_text text) { return synix_join_parts(&text, 1); }

// A number in decimal digits; also its JSON text.
static inline synix_text synix_number(uint64_t number) {
  char digits[20];
  size_t at = sizeof digits;
  do {
    digits[--at] = (char)('0' + number % 10);
    number /= 10;
  } while (number != 0);
  return synix_copy((synix_text){(uint8_t *)digits + at, sizeof digits - at});
}

// The bytes of the white space that a text begins with, as Unicode defines it; 0 where it begins with something else.
static inline size_t synix_space(synix_text text) {
  const uint8_t *at = text.ptr;
  if (text.len > 0 && (at[0] == ' ' || (at[0] >= '\t' && at[0] <= '\r'))) return 1;
  if (text.len > 1 && at[0] == 0xc2 && (at[1] == 0x85 || at[1] == 0xa0)) return 2;
  if (text.len < 3) return 0;
  uint32_t code = (uint32_t)at[0] << 16 | (uint32_t)at[1] << 8 | at[2];
  bool is_space = code == 0xe19a80 || (code >= 0xe28080 && code <= 0xe2808a) || code == 0xe280a8 ||
                  code == 0xe280a9 || code == 0xe280af || code == 0xe2819f || code == 0xe38080;
  return is_space ? 3 : 0;
}

// The text without the white space at both ends; shares its memory. The same in each language.
static inline synix_text synix_trim(synix_text text) {
  for (size_t size; (size = synix_space(text)) > 0; text.len -= size) text.ptr += size;
  for (size_t size = 1; size <= 3 && size <= text.len; size++) {
    if (synix_space((synix_text){text.ptr + text.len - size, size}) != size) continue;
    text.len -= size;
    size = 0;
  }
  return text;
}

// The number of lines that hold more than white space.
static inline size_t synix_count_lines(synix_text text) {
  size_t lines = 0;
  bool counted = false;
  for (size_t i = 0; i < text.len; i++) {
    if (text.ptr[i] == '\n') {
      counted = false;
      continue;
    }
    size_t space = synix_space((synix_text){text.ptr + i, text.len - i});
    if (space > 0) {
      i += space - 1;
    } else if (!counted) {
      counted = true;
      lines++;
    }
  }
  return lines;
}

// The text as a JSON string, for metadata.
static inline synix_text synix_json(synix_text text) {
  static const char hex[] = "0123456789abcdef";
  if (text.len > (SIZE_MAX - 2) / 6) abort();
  synix_text json = {synix_allocate(text.len * 6 + 2, 1), 0};
  json.ptr[json.len++] = '"';
  for (size_t i = 0; i < text.len; i++) {
    uint8_t byte = text.ptr[i];
    if (byte == '"' || byte == '\\') {
      json.ptr[json.len++] = '\\';
      json.ptr[json.len++] = byte;
    } else if (byte < 0x20) {
      memcpy(json.ptr + json.len, "\\u00", 4);
      json.ptr[json.len + 4] = (uint8_t)hex[byte >> 4];
      json.ptr[json.len + 5] = (uint8_t)hex[byte & 15];
      json.len += 6;
    } else {
      json.ptr[json.len++] = byte;
    }
  }
  json.ptr[json.len++] = '"';
  return json;
}

static inline bool synix_equals(synix_text text, const char *other) {
  return text.len == strlen(other) && memcmp(text.ptr, other, text.len) == 0;
}

// ---- the log and failures ----

// Writes one line to the host's log, such as `synix_log(SYNIX_PLUGIN_LOG_LEVEL_INFO, synix_str("here"))`.
static inline void synix_log(synix_plugin_log_level_t level, synix_text line) { synix_plugin_log_write(level, &line); }

// Notes why the unit cannot be made and returns false: `return synix_fail(call, SYNIX_INVALID_INPUT, why);`
static inline bool synix_fail(synix_call *call, synix_fault fault, synix_text why) {
  call->error.tag = (uint8_t)fault;
  // Each of the three has a text in the same place.
  call->error.val.invalid_config = synix_copy(why);
  return false;
}

static inline bool synix_fail_other(synix_call *call, synix_text code, synix_text why) {
  call->error.tag = SYNIX_PLUGIN_TYPES_TRANSFORM_ERROR_OTHER;
  call->error.val.other.code = synix_copy(code);
  call->error.val.other.message = synix_copy(why);
  return false;
}

// ---- the three that most plugins are made of ----

// Gives an input's text; fails the unit where the input is not text.
static inline bool synix_input_text(synix_call *call, const synix_input *input, synix_text *text) {
  if (input->content.tag != SYNIX_PLUGIN_TYPES_CONTENT_TEXT)
    return synix_fail(call, SYNIX_INVALID_INPUT, synix_join(synix_str("the input `"), input->header.label, synix_str("` is "), input->content.val.bytes.media_type,
                                 synix_str(", not text")));
  *text = input->content.val.text;
  return true;
}

// Asks the model and gives its answer; fails the unit where the question cannot be asked.
static inline bool synix_complete(synix_call *call, const synix_question *question, synix_text *answer) {
  synix_plugin_llm_part_t part = {.tag = SYNIX_PLUGIN_LLM_PART_TEXT, .val.text = question->prompt};
  synix_plugin_llm_message_t message = {.role = SYNIX_PLUGIN_LLM_ROLE_USER, .parts = {&part, 1}};
  synix_plugin_llm_request_t request = {
      .messages = {&message, 1},
      .max_tokens = {question->max_tokens != 0, question->max_tokens},
      .temperature = {question->temperature >= 0, question->temperature},
  };
  synix_plugin_llm_response_t response;
  synix_plugin_llm_llm_error_t error;
  if (synix_plugin_llm_complete(&request, &response, &error)) {
    *answer = response.text;
    return true;
  }
  switch (error.tag) {
    case SYNIX_PLUGIN_LLM_LLM_ERROR_NOT_GRANTED:
      return synix_fail_other(call, synix_str("llm-not-granted"),
                              synix_str("models are not granted to this transform"));
    case SYNIX_PLUGIN_LLM_LLM_ERROR_UNKNOWN_ROLE:
      return synix_fail_other(call, synix_str("llm-unknown-role"),
                              synix_join(synix_str("no model role `"), error.val.unknown_role, synix_str("`")));
    case SYNIX_PLUGIN_LLM_LLM_ERROR_INVALID_REQUEST:
      return synix_fail_other(call, synix_str("llm-invalid-request"), error.val.invalid_request);
    case SYNIX_PLUGIN_LLM_LLM_ERROR_OVER_LIMIT:
      return synix_fail_other(call, synix_str("llm-over-limit"), error.val.over_limit);
    default:
      return synix_fail_other(call, error.val.other.code, error.val.other.message);
  }
}

// Adds an artifact of text to what the unit makes. It stays where it is until the next one is added.
static inline synix_made *synix_output(synix_call *call, synix_text label, synix_text kind, synix_text text) {
  size_t count = call->made_count;
  // Full at each power of two.
  if ((count & (count - 1)) == 0) {
    synix_made *made = synix_allocate(count == 0 ? 1 : count * 2, sizeof *made);
    if (count > 0) memcpy(made, call->made, count * sizeof *made);
    call->made = made;
  }
  synix_made *last = &call->made[call->made_count++];
  last->label = synix_copy(label);
  last->kind = synix_copy(kind);
  last->content.tag = SYNIX_PLUGIN_TYPES_CONTENT_TEXT;
  last->content.val.text = synix_copy(text);
  return last;
}

// Adds a metadata value, as JSON text, to an artifact.
static inline void synix_metadata(synix_made *made, const char *key, synix_text json) {
  size_t count = made->metadata.len;
  synix_plugin_types_metadata_entry_t *entries = synix_allocate(count + 1, sizeof *entries);
  if (count > 0) memcpy(entries, made->metadata.ptr, count * sizeof *entries);
  entries[count].key = synix_copy(synix_str(key));
  entries[count].value = synix_copy(json);
  made->metadata.ptr = entries;
  made->metadata.len = count + 1;
}

// ---- config ----

// The end of the JSON value that begins at `at`, which the host has checked.
static inline size_t synix_skip_json(synix_text json, size_t at) {
  size_t depth = 0;
  for (; at < json.len; at++) {
    uint8_t byte = json.ptr[at];
    if (byte == '"') {
      for (at++; at < json.len && json.ptr[at] != '"'; at++) at += json.ptr[at] == '\\';
    } else if (byte == '{' || byte == '[') {
      depth++;
    } else if (byte == '}' || byte == ']') {
      if (depth == 0) return at;
      depth--;
    } else if (byte == ',' || byte == ':') {
      if (depth == 0) return at;
    }
  }
  return json.len;
}

// The JSON text of a property of the config; `len` is 0 where it is not set.
static inline synix_text synix_config(const synix_call *call, const char *key) {
  synix_text json = synix_trim(call->config);
  size_t at = 1;
  while (at < json.len) {
    size_t colon = synix_skip_json(json, at);
    if (colon >= json.len || json.ptr[colon] != ':') break;
    size_t end = synix_skip_json(json, colon + 1);
    synix_text name = synix_trim((synix_text){json.ptr + at, colon - at});
    if (name.len >= 2 && synix_equals((synix_text){name.ptr + 1, name.len - 2}, key))
      return synix_trim((synix_text){json.ptr + colon + 1, end - colon - 1});
    at = end + 1;
  }
  return (synix_text){NULL, 0};
}

// A whole number of 0 or more in the config; `otherwise` where it is not set or is none.
static inline uint32_t synix_config_number(const synix_call *call, const char *key, uint32_t otherwise) {
  synix_text json = synix_config(call, key);
  uint64_t number = 0;
  for (size_t i = 0; i < json.len; i++) {
    if (json.ptr[i] < '0' || json.ptr[i] > '9') return otherwise;
    number = number * 10 + (json.ptr[i] - '0');
    if (number > UINT32_MAX) return otherwise;
  }
  return json.len == 0 ? otherwise : (uint32_t)number;
}

// ---- the way in ----

static inline void synix_describe(const synix_plugin *plugin, transform_descriptor_t *descriptor) {
  memset(descriptor, 0, sizeof *descriptor);
  descriptor->name = synix_copy(synix_str(plugin->name));
  descriptor->version = synix_copy(synix_str(plugin->version));
  descriptor->summary = synix_copy(synix_str(plugin->summary));
  descriptor->config_schema = synix_copy(synix_str(plugin->config_schema));
  descriptor->shape = plugin->shape;
  if (plugin->llm) {
    descriptor->capabilities.ptr = synix_allocate(1, sizeof(synix_text));
    descriptor->capabilities.ptr[0] = synix_copy(synix_str("llm"));
    descriptor->capabilities.len = 1;
  }
}

static inline bool synix_execute(const synix_plugin *plugin, transform_unit_t *unit, transform_list_input_t *inputs,
                                 synix_text config, transform_list_output_t *made,
                                 transform_transform_error_t *error) {
  synix_call call = {.unit = unit, .inputs = inputs->ptr, .input_count = inputs->len, .config = config};
  synix_fail_other(&call, synix_str("no-reason"), synix_str("the transform failed without a reason"));
  bool done = plugin->execute(&call);
  *error = call.error;
  *made = (transform_list_output_t){call.made, call.made_count};
  return done;
}

static inline bool synix_split(const synix_plugin *plugin, transform_list_header_t *inputs, synix_text config,
                               transform_list_unit_t *units, transform_transform_error_t *error) {
  if (plugin->split != NULL) return plugin->split(inputs, config, units, error);
  error->tag = SYNIX_PLUGIN_TYPES_TRANSFORM_ERROR_OTHER;
  error->val.other.code = synix_copy(synix_str("no-split"));
  error->val.other.message = synix_copy(synix_str("the plugin has no split of its own"));
  return false;
}

// Makes `plugin`, a `synix_plugin`, what the component is. Once in a plugin.
#define SYNIX_EXPORT(plugin)                                                                                     \
  void exports_transform_describe(transform_descriptor_t *ret) { synix_describe(&(plugin), ret); }               \
  bool exports_transform_split(transform_list_header_t *inputs, transform_string_t *config,                      \
                               transform_list_unit_t *ret, transform_transform_error_t *err) {                   \
    return synix_split(&(plugin), inputs, *config, ret, err);                                                    \
  }                                                                                                              \
  bool exports_transform_execute(transform_unit_t *unit, transform_list_input_t *inputs,                         \
                                 transform_string_t *config, transform_list_output_t *ret,                       \
                                 transform_transform_error_t *err) {                                             \
    return synix_execute(&(plugin), unit, inputs, *config, ret, err);                                            \
  }

#endif

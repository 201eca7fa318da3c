// Write a synix transform in C.
//
// A plugin is a `synix_plugin` handed to `SYNIX_EXPORT` in one of its files. The host runs each unit in a fresh
// instance and drops it afterwards: what the helpers allocate lives to the end of the run and is never freed by hand.
#ifndef SYNIX_H
#define SYNIX_H

#include "synix_text.h"

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

// One user message. Zero `max_tokens` and a negative `temperature` leave the choice to the model role; texts that are
// left out are not sent.
typedef struct {
  synix_text prompt;
  uint32_t max_tokens;
  double temperature;
  // Instructions in front of the prompt.
  synix_text system;
  // A JSON Schema that the answer must match.
  synix_text response_format;
  // A model role of the pipeline file other than the layer's.
  synix_text model;
  // 0 for the first draw; another number asks the same again.
  uint32_t sample;
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
  // Divides the inputs into units with `synix_unit` and `synix_unit_input`; needed for the shape grouped only. It fails
  // by filling `error` and returning false.
  bool (*split)(transform_list_header_t *inputs, synix_text config, transform_list_unit_t *units,
                transform_transform_error_t *error);
} synix_plugin;

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

// What a question is on its way to the host.
static inline synix_plugin_llm_request_t synix_request(const synix_question *question) {
  bool instructed = question->system.len > 0;
  synix_plugin_llm_part_t *parts = synix_allocate(2, sizeof *parts);
  synix_plugin_llm_message_t *messages = synix_allocate(2, sizeof *messages);
  const synix_text texts[] = {question->system, question->prompt};
  for (size_t i = 0; i < 2; i++) {
    parts[i].tag = SYNIX_PLUGIN_LLM_PART_TEXT;
    parts[i].val.text = texts[i];
    messages[i].role = i == 0 ? SYNIX_PLUGIN_LLM_ROLE_SYSTEM : SYNIX_PLUGIN_LLM_ROLE_USER;
    messages[i].parts.ptr = &parts[i];
    messages[i].parts.len = 1;
  }
  return (synix_plugin_llm_request_t){
      .messages = {instructed ? messages : messages + 1, instructed ? 2 : 1},
      .max_tokens = {question->max_tokens != 0, question->max_tokens},
      .temperature = {question->temperature >= 0, question->temperature},
      .response_format = {question->response_format.len > 0, question->response_format},
      .model = {question->model.len > 0, question->model},
      .sample = question->sample,
  };
}

static inline bool synix_refused(synix_call *call, synix_plugin_llm_llm_error_t error) {
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

// Asks the model and gives its answer; fails the unit where the question cannot be asked.
static inline bool synix_complete(synix_call *call, const synix_question *question, synix_text *answer) {
  synix_plugin_llm_request_t request = synix_request(question);
  synix_plugin_llm_response_t response;
  synix_plugin_llm_llm_error_t error;
  if (!synix_plugin_llm_complete(&request, &response, &error)) return synix_refused(call, error);
  *answer = response.text;
  return true;
}

// Asks questions that do not depend on each other in one round; `answers` has room for as many.
static inline bool synix_complete_all(synix_call *call, const synix_question *questions, size_t count,
                                      synix_text *answers) {
  synix_plugin_llm_list_request_t requests = {synix_allocate(count, sizeof *requests.ptr), count};
  for (size_t i = 0; i < count; i++) requests.ptr[i] = synix_request(&questions[i]);
  synix_plugin_llm_list_response_t responses;
  synix_plugin_llm_llm_error_t error;
  if (!synix_plugin_llm_complete_all(&requests, &responses, &error)) return synix_refused(call, error);
  for (size_t i = 0; i < count; i++) answers[i] = responses.ptr[i].text;
  return true;
}

// Adds an artifact of text to what the unit makes. It stays where it is until the next one is added.
static inline synix_made *synix_output(synix_call *call, synix_text label, synix_text kind, synix_text text) {
  call->made = synix_grown(call->made, call->made_count, sizeof *call->made);
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

// ---- dividing inputs ----

// The JSON text of a metadata value; `len` is 0 where there is none of that key.
static inline synix_text synix_header_metadata(const synix_plugin_types_header_t *header, const char *key) {
  for (size_t i = 0; i < header->metadata.len; i++)
    if (synix_equals(header->metadata.ptr[i].key, key)) return header->metadata.ptr[i].value;
  return (synix_text){NULL, 0};
}

// The unit with this key, added where there is none yet. It stays where it is until the next one is added.
static inline transform_unit_t *synix_unit(transform_list_unit_t *units, synix_text key) {
  for (size_t i = 0; i < units->len; i++)
    if (synix_compare(units->ptr[i].key, key) == 0) return &units->ptr[i];
  units->ptr = synix_grown(units->ptr, units->len, sizeof *units->ptr);
  units->ptr[units->len].key = synix_copy(key);
  return &units->ptr[units->len++];
}

// Adds an input, by its position, to a unit.
static inline void synix_unit_input(transform_unit_t *unit, size_t position) {
  unit->inputs.ptr = synix_grown(unit->inputs.ptr, unit->inputs.len, sizeof *unit->inputs.ptr);
  unit->inputs.ptr[unit->inputs.len++] = (uint32_t)position;
}

static inline int synix_by_label(const void *one, const void *other) {
  const synix_plugin_types_header_t *const *a = one, *const *b = other;
  return synix_compare((*a)->label, (*b)->label);
}

// The positions of all inputs, sorted by label: as many as there are inputs.
static inline uint32_t *synix_sorted(const transform_list_header_t *inputs) {
  const synix_plugin_types_header_t **sorted = synix_allocate(inputs->len, sizeof *sorted);
  uint32_t *positions = synix_allocate(inputs->len, sizeof *positions);
  for (size_t i = 0; i < inputs->len; i++) sorted[i] = &inputs->ptr[i];
  qsort(sorted, inputs->len, sizeof *sorted, synix_by_label);
  for (size_t i = 0; i < inputs->len; i++) positions[i] = (uint32_t)(sorted[i] - inputs->ptr);
  return positions;
}

// ---- config ----

// The JSON text of a property of the config; `len` is 0 where it is not set.
static inline synix_text synix_config(const synix_call *call, const char *key) {
  return synix_json_member(call->config, key);
}

// A text in the config; `otherwise` where it is not set or is none.
static inline synix_text synix_config_text(const synix_call *call, const char *key, const char *otherwise) {
  synix_text text;
  return synix_json_text(synix_config(call, key), &text) ? text : synix_str(otherwise);
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

// Logs what was printed without a line break at its end. It is part of every component, and of no other program.
#ifdef __wasm__
__attribute__((weak)) void synix_end_lines(void);
static inline void synix_ended(void) {
  if (synix_end_lines) synix_end_lines();
}
#else
static inline void synix_ended(void) {}
#endif

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
  synix_ended();
  *error = call.error;
  *made = (transform_list_output_t){call.made, call.made_count};
  return done;
}

static inline bool synix_split(const synix_plugin *plugin, transform_list_header_t *inputs, synix_text config,
                               transform_list_unit_t *units, transform_transform_error_t *error) {
  *units = (transform_list_unit_t){NULL, 0};
  if (plugin->split != NULL) {
    bool done = plugin->split(inputs, config, units, error);
    synix_ended();
    return done;
  }
  if (plugin->shape == SYNIX_PLUGIN_TYPES_SHAPE_ALL) {
    synix_unit(units, synix_str("all"))->inputs = (transform_list_u32_t){synix_sorted(inputs), inputs->len};
    return true;
  }
  if (plugin->shape == SYNIX_PLUGIN_TYPES_SHAPE_PER_INPUT) {
    for (size_t i = 0; i < inputs->len; i++) synix_unit_input(synix_unit(units, inputs->ptr[i].label), i);
    return true;
  }
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

// Tests a transform as a native program, with a script in the model's place.
//
// Include it after the plugin's own file: the exports are then called as the host calls them.
#ifndef SYNIX_TEST_H
#define SYNIX_TEST_H

#include <stdio.h>

#include "synix.h"

// Answers the request with this position, counted from 0.
typedef synix_text (*synix_script)(size_t position, const synix_plugin_llm_request_t *request);

static synix_script synix_test_script;
static size_t synix_test_asked;
static size_t synix_test_failed;

bool synix_plugin_llm_complete(synix_plugin_llm_request_t *request, synix_plugin_llm_response_t *ret,
                               synix_plugin_llm_llm_error_t *err) {
  if (synix_test_script == NULL) {
    err->tag = SYNIX_PLUGIN_LLM_LLM_ERROR_NOT_GRANTED;
    return false;
  }
  memset(ret, 0, sizeof *ret);
  ret->text = synix_test_script(synix_test_asked++, request);
  return true;
}

bool synix_plugin_llm_complete_all(synix_plugin_llm_list_request_t *requests, synix_plugin_llm_list_response_t *ret,
                                   synix_plugin_llm_llm_error_t *err) {
  ret->ptr = synix_allocate(requests->len, sizeof *ret->ptr);
  ret->len = requests->len;
  for (size_t i = 0; i < requests->len; i++)
    if (!synix_plugin_llm_complete(&requests->ptr[i], &ret->ptr[i], err)) return false;
  return true;
}

void synix_plugin_log_write(synix_plugin_log_level_t level, transform_string_t *message) {
  (void)level;
  fprintf(stderr, "log: %.*s\n", (int)message->len, (const char *)message->ptr);
}

// Divides the headers of inputs.
static inline bool synix_test_split(const synix_input *inputs, size_t count, const char *config,
                                    transform_list_unit_t *units, transform_transform_error_t *error) {
  transform_list_header_t headers = {synix_allocate(count, sizeof *headers.ptr), count};
  for (size_t i = 0; i < count; i++) headers.ptr[i] = inputs[i].header;
  synix_text given = synix_str(config);
  return exports_transform_split(&headers, &given, units, error);
}

// What a unit adds to the config, in front of the layer's: of two members with one name the first counts.
static inline synix_text synix_test_config(synix_text config, transform_option_string_t added) {
  if (!added.is_some) return config;
  synix_text own = synix_trim(added.val), layer = synix_trim(config);
  if (own.len < 2 || layer.len < 2) return config;
  own = synix_trim((synix_text){own.ptr + 1, own.len - 2});
  layer = synix_trim((synix_text){layer.ptr + 1, layer.len - 2});
  synix_text comma = synix_str(own.len > 0 && layer.len > 0 ? "," : "");
  return synix_join(synix_str("{"), own, comma, layer, synix_str("}"));
}

// Divides the inputs into units and runs each, as the host does; the outputs stand in the order of the units.
static inline bool synix_test_run(const synix_input *inputs, size_t count, const char *config, synix_script script,
                                  transform_list_output_t *made, transform_transform_error_t *error) {
  transform_list_unit_t units;
  *made = (transform_list_output_t){NULL, 0};
  synix_test_script = script;
  synix_test_asked = 0;
  if (!synix_test_split(inputs, count, config, &units, error)) return false;
  for (size_t i = 0; i < units.len; i++) {
    transform_unit_t *unit = &units.ptr[i];
    transform_list_input_t own = {synix_allocate(unit->inputs.len, sizeof *own.ptr), unit->inputs.len};
    for (size_t j = 0; j < unit->inputs.len; j++) {
      if (unit->inputs.ptr[j] >= count) {
        error->tag = SYNIX_PLUGIN_TYPES_TRANSFORM_ERROR_OTHER;
        error->val.other.code = synix_str("invalid-split");
        error->val.other.message = synix_join(synix_str("an input that is not there is in the unit "), unit->key);
        return false;
      }
      own.ptr[j] = inputs[unit->inputs.ptr[j]];
    }
    synix_text given = synix_test_config(synix_str(config), unit->config);
    transform_list_output_t some;
    if (!exports_transform_execute(unit, &own, &given, &some, error)) return false;
    for (size_t j = 0; j < some.len; j++) {
      made->ptr = synix_grown(made->ptr, made->len, sizeof *made->ptr);
      made->ptr[made->len++] = some.ptr[j];
    }
  }
  return true;
}

// An input of text.
static inline synix_input synix_test_input(const char *label, const char *text) {
  synix_input input = {.header = {.label = synix_str(label), .kind = synix_str("text")}};
  input.content.tag = SYNIX_PLUGIN_TYPES_CONTENT_TEXT;
  input.content.val.text = synix_str(text);
  return input;
}

// Does the same with one input of text.
static inline bool synix_test_execute(const char *label, const char *text, const char *config, synix_script script,
                                      transform_list_output_t *made, transform_transform_error_t *error) {
  synix_input input = synix_test_input(label, text);
  return synix_test_run(&input, 1, config, script, made, error);
}

// The text of the only part of a request's only message.
static inline synix_text synix_test_prompt(const synix_plugin_llm_request_t *request) {
  return request->messages.ptr[0].parts.ptr[0].val.text;
}

static inline void synix_test_same(synix_text found, const char *expected, const char *file, int line) {
  if (synix_equals(found, expected)) return;
  synix_test_failed++;
  fprintf(stderr, "%s:%d: expected %s\n  found %.*s\n", file, line, expected, (int)found.len, (const char *)found.ptr);
}

static inline void synix_test_holds(bool holds, const char *what, const char *file, int line) {
  if (holds) return;
  synix_test_failed++;
  fprintf(stderr, "%s:%d: not so: %s\n", file, line, what);
}

#define SYNIX_SAME(found, expected) synix_test_same(found, expected, __FILE__, __LINE__)
#define SYNIX_HOLDS(what) synix_test_holds(what, #what, __FILE__, __LINE__)

// What `main` returns.
static inline int synix_test_result(void) {
  fprintf(stderr, synix_test_failed == 0 ? "ok\n" : "failed\n");
  return synix_test_failed == 0 ? 0 : 1;
}

#endif

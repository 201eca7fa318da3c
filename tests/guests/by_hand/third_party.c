// A transform of somebody who has nothing but the published contract and `wit-bindgen c`.
#include "transform.h"

#include <stdlib.h>
#include <string.h>

void exports_transform_describe(transform_descriptor_t *ret) {
  memset(ret, 0, sizeof *ret);
  transform_string_dup(&ret->name, "third-party");
  transform_string_dup(&ret->version, "3.2.1");
  transform_string_dup(&ret->summary, "Puts the model's answer in brackets");
  transform_string_dup(&ret->config_schema, "{\"type\":\"object\"}");
  ret->capabilities.ptr = malloc(sizeof(transform_string_t));
  ret->capabilities.len = 1;
  transform_string_dup(ret->capabilities.ptr, "llm");
  ret->shape = SYNIX_PLUGIN_TYPES_SHAPE_PER_INPUT;
}

bool exports_transform_split(transform_list_header_t *inputs, transform_string_t *config, transform_list_unit_t *ret,
                             transform_transform_error_t *err) {
  transform_list_header_free(inputs);
  transform_string_free(config);
  (void)ret;
  err->tag = SYNIX_PLUGIN_TYPES_TRANSFORM_ERROR_INVALID_CONFIG;
  transform_string_dup(&err->val.invalid_config, "one unit for each input");
  return false;
}

bool exports_transform_execute(transform_unit_t *unit, transform_list_input_t *inputs, transform_string_t *config,
                               transform_list_output_t *ret, transform_transform_error_t *err) {
  transform_input_t *input = &inputs->ptr[0];
  synix_plugin_llm_part_t part = {.tag = SYNIX_PLUGIN_LLM_PART_TEXT, .val.text = input->content.val.text};
  synix_plugin_llm_message_t message = {SYNIX_PLUGIN_LLM_ROLE_USER, {&part, 1}};
  synix_plugin_llm_request_t request = {.messages = {&message, 1}};
  synix_plugin_llm_response_t response;
  synix_plugin_llm_llm_error_t refusal;
  if (!synix_plugin_llm_complete(&request, &response, &refusal)) {
    synix_plugin_llm_llm_error_free(&refusal);
    err->tag = SYNIX_PLUGIN_TYPES_TRANSFORM_ERROR_INVALID_ANSWER;
    transform_string_dup(&err->val.invalid_answer, "no answer");
    return false;
  }
  ret->len = 1;
  ret->ptr = calloc(1, sizeof *ret->ptr);
  transform_string_dup_n(&ret->ptr->label, (char *)input->header.label.ptr, input->header.label.len);
  transform_string_dup(&ret->ptr->kind, "bracketed");
  size_t len = response.text.len + 2;
  uint8_t *text = malloc(len);
  text[0] = '[';
  memcpy(text + 1, response.text.ptr, response.text.len);
  text[len - 1] = ']';
  ret->ptr->content.val.text = (transform_string_t){text, len};
  synix_plugin_llm_response_free(&response);
  transform_unit_free(unit);
  transform_list_input_free(inputs);
  transform_string_free(config);
  return true;
}

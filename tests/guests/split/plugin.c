// Joins the inputs of each topic; asks nothing.
#include "synix.h"

// The metadata are whatever stands in a note; a unit's key has 1 to 512 characters and no control characters.
static synix_text topic_of(const synix_plugin_types_header_t *header) {
  synix_text topic;
  if (!synix_json_text(synix_header_metadata(header, "topic"), &topic)) return synix_str("none");
  for (size_t i = 0; i < topic.len; i++)
    if (topic.ptr[i] < ' ' || topic.ptr[i] > '~') return synix_str("none");
  return topic.len > 0 && topic.len <= 100 ? topic : synix_str("none");
}

static bool split(transform_list_header_t *inputs, synix_text config, transform_list_unit_t *units,
                  transform_transform_error_t *error) {
  (void)config, (void)error;
  uint32_t *sorted = synix_sorted(inputs);
  for (size_t i = 0; i < inputs->len; i++)
    synix_unit_input(synix_unit(units, topic_of(&inputs->ptr[sorted[i]])), sorted[i]);
  return true;
}

static bool join(synix_call *call) {
  synix_text joined = synix_str("");
  for (size_t i = 0; i < call->input_count; i++) {
    synix_text text;
    if (!synix_input_text(call, &call->inputs[i], &text)) return false;
    joined = synix_join(joined, synix_str(i > 0 ? "\n" : ""), text);
  }
  synix_made *made = synix_output(call, call->unit->key, synix_str("digest"), joined);
  synix_metadata(made, "count", synix_number((uint32_t)call->input_count));
  return true;
}

static const synix_plugin PLUGIN = {
    .name = "topics",
    .version = "0.1.0",
    .summary = "Joins the inputs of each topic",
    .config_schema = "{\"type\": \"object\", \"additionalProperties\": false}",
    .shape = SYNIX_PLUGIN_TYPES_SHAPE_GROUPED,
    .execute = join,
    .split = split,
};

SYNIX_EXPORT(PLUGIN)

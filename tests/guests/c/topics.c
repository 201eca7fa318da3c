// A grouped transform with every helper of `synix.h`: says the theme of each topic and how urgent it is.
#include "synix.h"

#define DRAWS 5

static bool split(transform_list_header_t *inputs, synix_text config, transform_list_unit_t *units,
                  transform_transform_error_t *error) {
  (void)error;
  synix_text by;
  if (!synix_json_text(synix_json_member(config, "by"), &by)) by = synix_str("topic");
  char *key = synix_allocate(by.len + 1, 1);
  memcpy(key, by.ptr, by.len);
  uint32_t *sorted = synix_sorted(inputs);
  for (size_t i = 0; i < inputs->len; i++) {
    synix_text json = synix_header_metadata(&inputs->ptr[sorted[i]], key), topic;
    if (!synix_json_text(json, &topic)) topic = json.len > 0 ? json : synix_str("none");
    synix_unit_input(synix_unit(units, topic), sorted[i]);
  }
  return true;
}

static bool digest(synix_call *call) {
  uint32_t draws = synix_config_number(call, "draws", 2);
  if (draws > DRAWS) return synix_fail(call, SYNIX_INVALID_CONFIG, synix_str("too many draws"));
  synix_text key = call->unit->key, texts = synix_str(""), text, answer, theme, verdicts[DRAWS];
  for (size_t i = 0; i < call->input_count; i++) {
    if (!synix_input_text(call, &call->inputs[i], &text)) return false;
    texts = synix_join(texts, synix_str("- "), text, synix_str("\n"));
  }
  synix_question ask = {.max_tokens = 200, .temperature = -1};
  ask.prompt = synix_join(synix_str("Theme of:\n"), texts);
  ask.system = synix_str("Answer in JSON.");
  ask.response_format = synix_str("{\"type\":\"object\",\"properties\":{\"theme\":{\"type\":\"string\"}},\"required\":[\"theme\"]}");
  if (!synix_complete(call, &ask, &answer)) return false;
  if (!synix_json_text(synix_json_member(answer, "theme"), &theme))
    return synix_fail(call, SYNIX_INVALID_ANSWER, synix_join(synix_str("no theme of "), key));
  synix_question urgent[DRAWS];
  for (uint32_t i = 0; i < draws; i++)
    urgent[i] = (synix_question){
        .prompt = synix_join(synix_str("Is this urgent, yes or no?\n"), texts), .temperature = 1, .sample = i};
  if (!synix_complete_all(call, urgent, draws, verdicts)) return false;
  synix_text list = synix_str("[");
  for (uint32_t i = 0; i < draws; i++)
    list = synix_join(list, synix_str(i > 0 ? "," : ""), synix_json(synix_trim(verdicts[i])));
  synix_metadata(synix_output(call, key, synix_str("digest"), theme), "verdicts", synix_join(list, synix_str("]")));
  return true;
}

static const synix_plugin PLUGIN = {
    .name = "topics",
    .version = "0.2.0",
    .summary = "Says the theme of each topic and how urgent it is",
    .config_schema = "{\"type\":\"object\",\"properties\":{\"by\":{\"type\":\"string\",\"minLength\":1,\"default\":\"topic\"},"
                     "\"draws\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":5,\"default\":2}},\"additionalProperties\":false}",
    .shape = SYNIX_PLUGIN_TYPES_SHAPE_GROUPED,
    .llm = true,
    .execute = digest,
    .split = split,
};

SYNIX_EXPORT(PLUGIN)

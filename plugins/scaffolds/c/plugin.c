// Extracts the action items of each input, then orders them by urgency.
#include "synix.h"

static void add(synix_call *call, synix_text source, const char *end, const char *kind, synix_text text) {
  synix_made *made = synix_output(call, synix_join(source, synix_str(end)), synix_str(kind), text);
  synix_metadata(made, "source", synix_json(source));
  synix_metadata(made, "count", synix_number(synix_count_lines(text)));
}

static bool extract(synix_call *call) {
  uint32_t limit = synix_config_number(call, "limit", 5);
  for (size_t i = 0; i < call->input_count; i++) {
    const synix_input *input = &call->inputs[i];
    synix_text label = input->header.label;
    synix_text text, items, ordered;
    if (!synix_input_text(call, input, &text)) return false;

    synix_question first = {.max_tokens = 300, .temperature = 0};
    first.prompt = synix_join(synix_str("List the action items in this text, one per line, at most "),
                              synix_number(limit), synix_str(". Write \"none\" if there are none.\n\n"), text);
    if (!synix_complete(call, &first, &items)) return false;
    items = synix_trim(items);

    synix_question second = {.max_tokens = 300, .temperature = 0};
    second.prompt =
        synix_join(synix_str("Order these action items by urgency, most urgent first, one per line.\n\n"), items);
    if (!synix_complete(call, &second, &ordered)) return false;

    add(call, label, "-items", "action-items", items);
    add(call, label, "-ordered", "action-items-ordered", synix_trim(ordered));
  }
  return true;
}

static const synix_plugin PLUGIN = {
    .name = "{{name}}",
    .version = "0.1.0",
    .summary = "Extracts action items and orders them by urgency",
    .config_schema = "{\"type\": \"object\", \"properties\": {\"limit\": {\"type\": \"integer\", \"minimum\": 1, "
                     "\"maximum\": 20, \"default\": 5, \"description\": \"Most items to list\"}}, "
                     "\"additionalProperties\": false}",
    .shape = SYNIX_PLUGIN_TYPES_SHAPE_PER_INPUT,
    .llm = true,
    .execute = extract,
};

SYNIX_EXPORT(PLUGIN)

#include "synix.h"

static bool execute(synix_call *call) {
  synix_text text, answer;
  if (!synix_input_text(call, &call->inputs[0], &text)) return false;
  synix_question question = {.prompt = text, .max_tokens = 100};
  if (!synix_complete(call, &question, &answer)) return false;
  synix_output(call, call->inputs[0].header.label, synix_str("text"), answer);
  return true;
}

static const synix_plugin PLUGIN = {
    .name = "items",
    .version = "0.1.0",
    .summary = "Asks the model the text of its input",
    .config_schema = "{\"type\": \"object\"}",
    .shape = SYNIX_PLUGIN_TYPES_SHAPE_PER_INPUT,
    .llm = true,
    .execute = execute,
};

SYNIX_EXPORT(PLUGIN)

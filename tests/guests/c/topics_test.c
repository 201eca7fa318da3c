#include "../plugin.c"
#include "synix_test.h"
static synix_text answer(size_t position, const synix_plugin_llm_request_t *request) {
  (void)request;
  return synix_str(position == 0 ? "{\"theme\": \"a \\\"roof\\\" \\ud83d\\ude00 \\u00e9\\n\"}" : " yes ");
}
int main(void) {
  transform_list_output_t made;
  transform_transform_error_t error;
  SYNIX_HOLDS(synix_test_execute("jan", "Call Ann.", "{\"draws\":3}", answer, &made, &error));
  SYNIX_HOLDS(synix_test_asked == 4 && made.len == 1);
  SYNIX_SAME(made.ptr[0].content.val.text, "a \"roof\" \xf0\x9f\x98\x80 \xc3\xa9\n");
  SYNIX_SAME(made.ptr[0].metadata.ptr[0].value, "[\"yes\",\"yes\",\"yes\"]");
  synix_plugin_types_metadata_entry_t topic = {synix_str("topic"), synix_str("\"b\"")};
  synix_input inputs[5] = {0};
  for (size_t i = 0; i < 5; i++) inputs[i].header.label = synix_number(i);
  inputs[1].header.metadata.ptr = inputs[4].header.metadata.ptr = &topic;
  inputs[1].header.metadata.len = inputs[4].header.metadata.len = 1;
  transform_list_unit_t units;
  SYNIX_HOLDS(synix_test_split(inputs, 5, "{}", &units, &error));
  SYNIX_HOLDS(units.len == 2 && units.ptr[0].inputs.len == 3 && units.ptr[1].inputs.ptr[1] == 4);
  SYNIX_SAME(units.ptr[1].key, "b");
  synix_text t;
  SYNIX_HOLDS(!synix_json_text(synix_str("\"\\ud83d\""), &t));
  SYNIX_HOLDS(!synix_json_text(synix_str("\"\\\""), &t));
  SYNIX_HOLDS(!synix_json_text(synix_str("7"), &t));
  SYNIX_HOLDS(synix_json_member(synix_str("[1]"), "a").len == 0);
  SYNIX_HOLDS(synix_json_member(synix_str(""), "a").len == 0);
  return synix_test_result();
}

#include "../plugin.c"
#include "synix_test.h"

int main(void) {
  synix_plugin_types_metadata_entry_t topic = {synix_str("topic"), synix_str("\"x\"")};
  synix_input inputs[] = {synix_test_input("b", "two"), synix_test_input("a", "one"), synix_test_input("c", "three")};
  for (size_t i = 0; i < 2; i++) {
    inputs[i].header.metadata.ptr = &topic;
    inputs[i].header.metadata.len = 1;
  }
  transform_list_output_t made;
  transform_transform_error_t error;
  SYNIX_HOLDS(synix_test_run(inputs, 3, "{}", NULL, &made, &error));
  SYNIX_HOLDS(made.len == 2);
  SYNIX_SAME(made.ptr[0].label, "x");
  SYNIX_SAME(made.ptr[0].content.val.text, "one\ntwo");
  SYNIX_SAME(made.ptr[1].label, "none");
  return synix_test_result();
}

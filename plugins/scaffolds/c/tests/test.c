#include "../plugin.c"
#include "synix_test.h"

static synix_text answer(size_t position, const synix_plugin_llm_request_t *request) {
  synix_text prompt = synix_test_prompt(request);
  SYNIX_HOLDS(request->max_tokens.is_some && request->max_tokens.val == 300);
  SYNIX_HOLDS(request->temperature.is_some && request->temperature.val == 0);
  if (position == 0) {
    SYNIX_SAME(prompt,
               "List the action items in this text, one per line, at most 2. Write \"none\" if there are none.\n\n"
               "Call Ann. Pay rent.");
    return synix_str("\nCall Ann\nPay rent \n");
  }
  SYNIX_SAME(prompt,
             "Order these action items by urgency, most urgent first, one per line.\n\nCall Ann\nPay rent");
  return synix_str("Pay rent\n \nCall Ann");
}

int main(void) {
  transform_list_output_t made;
  transform_transform_error_t error;

  SYNIX_HOLDS(synix_test_execute("jan", "Call Ann. Pay rent.", "{\"limit\":2}", answer, &made, &error));
  SYNIX_HOLDS(synix_test_asked == 2 && made.len == 2);
  SYNIX_SAME(made.ptr[0].label, "jan-items");
  SYNIX_SAME(made.ptr[0].kind, "action-items");
  SYNIX_SAME(made.ptr[0].content.val.text, "Call Ann\nPay rent");
  SYNIX_SAME(made.ptr[0].metadata.ptr[0].value, "\"jan\"");
  SYNIX_SAME(made.ptr[1].label, "jan-ordered");
  SYNIX_SAME(made.ptr[1].content.val.text, "Pay rent\n \nCall Ann");
  SYNIX_SAME(made.ptr[1].metadata.ptr[1].value, "2");

  SYNIX_HOLDS(!synix_test_execute("jan", "text", "{}", NULL, &made, &error));
  SYNIX_SAME(error.val.other.code, "llm-not-granted");
  return synix_test_result();
}

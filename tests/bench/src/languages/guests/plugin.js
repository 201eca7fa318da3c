// Asks the model the text of its input.

import { complete, textOf, user } from "./sdk/synix.js";

export default {
  name: "items",
  version: "0.1.0",
  summary: "Asks the model the text of its input",
  shape: "per-input",
  capabilities: ["llm"],
  configSchema: { type: "object" },
  execute(_unit, [input]) {
    const answer = complete(user(textOf(input), { maxTokens: 100 }));
    return [{ label: input.header.label, kind: "text", content: answer.text, metadata: {} }];
  },
};

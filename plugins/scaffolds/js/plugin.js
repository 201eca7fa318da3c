// Extracts the action items of each input, then orders them by urgency.

import { complete, textOf, trim, user } from "./sdk/synix.js";

/** @type {import("./sdk/synix.js").Transform<{ limit?: number }>} */
export default {
  name: "{{name}}",
  version: "0.1.0",
  summary: "Extracts action items and orders them by urgency",
  shape: "per-input",
  capabilities: ["llm"],
  configSchema: {
    type: "object",
    properties: {
      limit: { type: "integer", minimum: 1, maximum: 20, default: 5, description: "Most items to list" },
    },
    additionalProperties: false,
  },
  execute(_unit, inputs, { limit = 5 }) {
    return inputs.flatMap((input) => extract(input, limit));
  },
};

function extract(input, limit) {
  const items = ask(
    `List the action items in this text, one per line, at most ${limit}. ` +
      `Write "none" if there are none.\n\n${textOf(input)}`,
  );
  const ordered = ask(`Order these action items by urgency, most urgent first, one per line.\n\n${items}`);
  return [
    output(input, "-items", "action-items", items),
    output(input, "-ordered", "action-items-ordered", ordered),
  ];
}

function ask(text) {
  return trim(complete(user(text, { maxTokens: 300, temperature: 0 })).text);
}

function output(input, end, kind, content) {
  const source = input.header.label;
  const count = content.split("\n").filter((line) => trim(line) !== "").length;
  return { label: source + end, kind, content, metadata: { source, count } };
}

// Joins the inputs of each topic; asks nothing.

import { textOf } from "./sdk/synix.js";

/** @type {import("./sdk/synix.js").Transform} */
export default {
  name: "topics",
  version: "0.1.0",
  summary: "Joins the inputs of each topic",
  shape: "grouped",
  capabilities: [],
  configSchema: { type: "object", additionalProperties: false },
  split(inputs) {
    const sorted = inputs.map((_, position) => position).sort((a, b) => (inputs[a].label < inputs[b].label ? -1 : 1));
    const topics = new Map();
    for (const position of sorted) {
      const topic = topicOf(inputs[position]);
      topics.set(topic, [...(topics.get(topic) ?? []), position]);
    }
    return [...topics].map(([key, positions]) => ({ key, inputs: positions }));
  },
  execute(unit, inputs) {
    return [{ label: unit.key, kind: "digest", content: inputs.map(textOf).join("\n"), metadata: { count: inputs.length } }];
  },
};

// The metadata are whatever stands in a note; a unit's key has 1 to 512 characters and no control characters.
function topicOf({ metadata: { topic } }) {
  return typeof topic === "string" && /^[ -~]{1,100}$/.test(topic) ? topic : "none";
}

// Joins the inputs of each topic; asks nothing.

import { textOf } from "./sdk/synix.js";
import type { Header, Transform } from "./sdk/synix.js";

const transform: Transform = {
  name: "topics",
  version: "0.1.0",
  summary: "Joins the inputs of each topic",
  shape: "grouped",
  capabilities: [],
  configSchema: { type: "object", additionalProperties: false },
  split(inputs) {
    const sorted = inputs.map((header, position) => ({ header, position }));
    sorted.sort((a, b) => (a.header.label < b.header.label ? -1 : 1));
    const topics = new Map<string, number[]>();
    for (const { header, position } of sorted) {
      const topic = topicOf(header);
      topics.set(topic, [...(topics.get(topic) ?? []), position]);
    }
    return [...topics].map(([key, positions]) => ({ key, inputs: positions }));
  },
  execute(unit, inputs) {
    return [{ label: unit.key, kind: "digest", content: inputs.map(textOf).join("\n"), metadata: { count: inputs.length } }];
  },
};

export default transform;

// The metadata are whatever stands in a note; a unit's key has 1 to 512 characters and no control characters.
function topicOf({ metadata: { topic } }: Header): string {
  return typeof topic === "string" && /^[ -~]{1,100}$/.test(topic) ? topic : "none";
}

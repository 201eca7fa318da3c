// Runs a transform as a function, with a script in the model's place; nothing is compiled.

import { setHost } from "./synix.js";

export function withModel(script, work) {
  const ran = { requests: [], lines: [], result: undefined };
  const answer = (request) => {
    ran.requests.push(request);
    const said = script(request);
    return typeof said === "string" ? says(said) : said;
  };
  const before = setHost({
    completeAll: (requests) => requests.map(answer),
    log: (level, message) => ran.lines.push([level, message]),
  });
  try {
    ran.result = work(ran);
  } finally {
    setHost(before);
  }
  return ran;
}

export function says(text) {
  return { text, ending: "complete", model: "scripted", usage: { inputTokens: 1, outputTokens: 1 }, details: {} };
}

export function input(label, content, metadata = {}) {
  return { header: { label, kind: "text", digest: "0".repeat(64), metadata }, content };
}

export function execute(transform, inputs, config = {}) {
  return transform.execute({ key: "unit", inputs: inputs.map((_, position) => position) }, inputs, config);
}

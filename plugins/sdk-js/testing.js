// Runs a transform or a reader as a function, with a script in the model's place; nothing is compiled.

import { setHost, setReceiver } from "./synix.js";
import { unitsOf } from "./units.js";

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

export function split(transform, inputs, config = {}) {
  const units = unitsOf(transform, inputs.map(({ header }) => header), config);
  const keys = new Set();
  for (const { key, inputs: positions } of units) {
    if (keys.has(key)) throw new Error(`two units have the key \`${key}\``);
    keys.add(key);
    const wrong = positions.find((position, at) => !(position in inputs) || positions.indexOf(position) !== at);
    if (wrong !== undefined) throw new Error(`the unit \`${key}\` names input ${wrong}, which is not there or named twice`);
    if (positions.length === 0) throw new Error(`the unit \`${key}\` names no input`);
  }
  return units;
}

export function execute(transform, inputs, config = {}) {
  return split(transform, inputs, config).flatMap((unit) => executeUnit(transform, unit, inputs, config));
}

export function executeUnit(transform, unit, inputs, config = {}) {
  const own = unit.inputs.map((position) => inputs[position]);
  return transform.execute(unit, own, { ...config, ...unit.config });
}

export function read(reader, name, content, config = {}, partBytes = 1 << 20) {
  const run = { outputs: [], places: [], skipped: [] };
  let place = "";
  const before = setReceiver({
    at: (next) => (place = next),
    emit: (output) => {
      run.outputs.push(output);
      run.places.push(place);
    },
    skip: (what, reason) => run.skipped.push({ place, what, reason }),
  });
  const part = (offset, length) => new Uint8Array(content.subarray(offset, offset + Math.min(length, partBytes)));
  try {
    reader.read({ name, size: content.length, read: part }, config);
  } finally {
    setReceiver(before);
  }
  return run;
}

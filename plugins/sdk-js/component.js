// Between a transform and the component's imports and exports; runs only inside a component.

import * as llm from "synix:plugin/llm@0.1.1";
import { called, checkDescription, json, log, mistake, setConsole, shown, told, toOutput, variant } from "./bridge.js";
import { setHost, TransformError } from "./synix.js";
import { unitsOf } from "./units.js";

export function exports(transform) {
  check(transform);
  setHost({ completeAll, log });
  setConsole();
  return {
    describe: () => ({
      name: transform.name,
      version: transform.version,
      summary: transform.summary,
      configSchema: JSON.stringify(transform.configSchema),
      capabilities: transform.capabilities ?? ["llm"],
      shape: transform.shape,
    }),
    split: (inputs, config) =>
      told(() => {
        const split = () => unitsOf(transform, inputs.map(toHeader), JSON.parse(config));
        return list(transform, "split", "units", split).map((unit) => ({
          key: unit.key,
          inputs: unit.inputs,
          config: json(unit.config),
        }));
      }),
    execute: (unit, inputs, config) =>
      told(() => {
        const given = { key: unit.key, inputs: Array.from(unit.inputs) };
        if (unit.config != null) given.config = JSON.parse(unit.config);
        const execute = () => transform.execute(given, inputs.map(toInput), JSON.parse(config));
        return list(transform, "execute", "outputs", execute).map(toOutput);
      }),
  };
}

// Runs when the component is built.
function check(transform) {
  checkDescription(transform, "transform");
  if (typeof transform.execute !== "function") {
    const isReader = typeof transform.read === "function";
    throw mistake(`has no function \`execute\`${isReader ? '; for a reader, set `"synix": {"kind": "reader"}` in package.json' : ""}`);
  }
  if (!["per-input", "grouped", "all"].includes(transform.shape)) {
    throw mistake("has a `shape` that is none of per-input, grouped and all");
  }
}

function list(transform, name, what, work) {
  const made = called(transform, "transform", name, work);
  if (!Array.isArray(made)) throw new TypeError(`\`${name}\` gave ${shown(made)}, not a list of ${what}`);
  return made;
}

function completeAll(requests) {
  const asked = requests.map(fromRequest);
  let answers;
  try {
    answers = asked.length === 1 ? [llm.complete(asked[0])] : llm.completeAll(asked);
  } catch (error) {
    throw fromLlmError(error);
  }
  return answers.map((answer) => ({
    text: answer.text,
    ending: answer.ending.tag === "other" ? answer.ending.val : answer.ending.tag,
    model: answer.model,
    usage: { inputTokens: Number(answer.usage.inputTokens), outputTokens: Number(answer.usage.outputTokens) },
    details: JSON.parse(answer.details),
  }));
}

function fromRequest(request) {
  return {
    messages: request.messages.map(({ role, parts }) => ({ role, parts: parts.map((part) => variant(part, "image")) })),
    maxTokens: request.maxTokens ?? null,
    temperature: request.temperature ?? null,
    stop: request.stop ?? [],
    responseFormat: json(request.responseFormat),
    model: request.model ?? null,
    sample: request.sample ?? 0,
    options: json(request.options),
  };
}

function fromLlmError(error) {
  const thrown = error?.payload ?? error;
  switch (thrown?.tag) {
    case "not-granted":
      return new TransformError("llm-not-granted", "models are not granted to this transform");
    case "unknown-role":
      return new TransformError("llm-unknown-role", `no model role \`${thrown.val}\``);
    case "invalid-request":
      return new TransformError("llm-invalid-request", thrown.val);
    case "over-limit":
      return new TransformError("llm-over-limit", thrown.val);
    case "other":
      return new TransformError(thrown.val.code, thrown.val.message);
    default:
      return error;
  }
}

function toHeader({ label, kind, digest, metadata }) {
  return { label, kind, digest, metadata: Object.fromEntries(metadata.map(({ key, value }) => [key, JSON.parse(value)])) };
}

function toInput({ header, content }) {
  return { header: toHeader(header), content: content.val };
}

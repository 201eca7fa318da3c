// Between a transform and the component's imports and exports; runs only inside a component.

import * as llm from "synix:plugin/llm@0.1.1";
import * as hostLog from "synix:plugin/log@0.1.1";

import { setHost, TransformError } from "./synix.js";
import { unitsOf } from "./units.js";

const KINDS = ["invalid-config", "invalid-input", "invalid-answer"];

export function exports(transform) {
  check(transform);
  setHost({ completeAll, log: (level, message) => hostLog.write(level, message) });
  const lines = (level) => (...values) => hostLog.write(level, placed(values.map(shown).join(" ")));
  globalThis.console = {
    trace: lines("trace"), debug: lines("debug"), log: lines("info"), info: lines("info"), warn: lines("warn"),
    error: lines("error"),
  };
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

// Runs when the component is built: the binding would only say that it expected a string.
function check(transform) {
  const mistake = (what) => new TypeError(`the plugin's default export ${what}`);
  if (transform === null || typeof transform !== "object") throw mistake("is no transform");
  for (const key of ["name", "version", "summary", "shape"]) {
    if (typeof transform[key] !== "string") throw mistake(`has no text as its \`${key}\``);
  }
  if (!["per-input", "grouped", "all"].includes(transform.shape)) {
    throw mistake("has a `shape` that is none of per-input, grouped and all");
  }
  if (transform.configSchema === null || typeof transform.configSchema !== "object") {
    throw mistake("has no object as its `configSchema`");
  }
  if (typeof transform.execute !== "function") throw mistake("has no function `execute`");
}

function list(transform, name, what, work) {
  const { made, last } = noting(transform[name], work);
  if (typeof made?.then === "function") {
    const error = new TypeError(`\`${name}\` is async, and nothing in a transform waits`, { cause: last });
    const { fileName, lineNumber, columnNumber } = transform[name];
    // Its own trace leads to this file alone.
    error.stack = `  at ${name} (${fileName}:${lineNumber}:${columnNumber})`;
    throw error;
  }
  if (!Array.isArray(made)) throw new TypeError(`\`${name}\` gave ${shown(made)}, not a list of ${what}`);
  return made;
}

// Calls a function of the author. What an async one throws lies in a promise into which nobody can look before it is
// waited for, so the last error that was made in it is noted as it is made.
function noting(own, work) {
  let last;
  if (own?.constructor?.name !== "AsyncFunction") return { made: work(), last };
  const before = Error.prepareStackTrace;
  Error.prepareStackTrace = (error, sites) => {
    last = error;
    return sites.map(frame).join("\n");
  };
  try {
    return { made: work(), last };
  } finally {
    Error.prepareStackTrace = before;
  }
}

// A line of a trace as the interpreter writes it.
function frame(site) {
  const name = site.getFunctionName() || "<anonymous>";
  if (site.isNative()) return `    at ${name} (native)`;
  return `    at ${name} (${site.getFileName()}:${site.getLineNumber()}:${site.getColumnNumber()})`;
}

function toOutput(output) {
  for (const key of ["label", "kind"]) {
    if (typeof output?.[key] !== "string") throw new TypeError(`an output has no text as its \`${key}\`: ${shown(output)}`);
  }
  const { label, kind, content } = output;
  if (typeof content !== "string" && typeof content?.mediaType !== "string") {
    throw new TypeError(`the content of the output \`${label}\` is neither a text nor \`{ mediaType, data }\``);
  }
  const metadata = Object.entries(output.metadata ?? {}).map(([key, value]) => {
    const text = JSON.stringify(value);
    if (text === undefined) throw new TypeError(`\`${key}\` in the metadata of the output \`${label}\` is not JSON`);
    return { key, value: text };
  });
  return { label, kind, content: variant(content, "bytes"), metadata };
}

// What is thrown is the error of the contract. A trap has no words, so any other error is handed over as a crash.
function told(work) {
  try {
    return work();
  } catch (error) {
    const { code, message } = error instanceof TransformError ? error : { code: "crashed", message: traced(error) };
    throw KINDS.includes(code) ? { tag: code, val: message } : { tag: "other", val: { code, message } };
  }
}

// An error with its trace, in files and lines of the author.
function traced(error, depth = 0) {
  if (!(error instanceof Error)) return `thrown: ${shown(error)}`;
  const frames = String(error.stack ?? "").split("\n").filter((line) => line.trim().startsWith("at "));
  const own = frames.map((frame) => placed(frame.trim()));
  const kept = own.filter((frame) => !/sdk\/component\.js|entry\.js/.test(frame)).slice(0, 30);
  const cause = error.cause === undefined || depth > 4 ? "" : `\ncaused by ${traced(error.cause, depth + 1)}`;
  return [String(error), ...kept].join("\n  ") + cause;
}

// A text that may hold a trace, with the author's files and lines in it.
function placed(text) {
  return text.replace(/\/?bundle\.js:(\d+)(?::(\d+))?/g, place);
}

// `plugin build` puts the table in the first line of the bundle: for each line after it, from which column on it is
// which line of which file.
function place(written, line, column) {
  const { files, lines } = globalThis.__synixPlaces ?? { files: [], lines: "" };
  const segments = (lines.split(";")[line - 2] ?? "").split(" ").filter((one) => one !== "").map((one) => one.split("."));
  const at = segments.findLast(([start]) => start <= (column ?? 1) - 1) ?? segments[0];
  return at === undefined ? written : `${files[at[1]]}:${at[2]}`;
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

function variant(content, other) {
  return typeof content === "string" ? { tag: "text", val: content } : { tag: other, val: content };
}

function json(value) {
  return value == null ? null : JSON.stringify(value);
}

function shown(value) {
  return typeof value === "string" ? value : value instanceof Error ? String(value) : (JSON.stringify(value) ?? String(value));
}

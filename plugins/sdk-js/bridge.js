// What the components of both kinds share: the log, errors and outputs; runs only inside a component.

import * as hostLog from "synix:plugin/log@0.1.1";

import { TransformError } from "./synix.js";

const KINDS = ["invalid-config", "invalid-input", "invalid-answer"];
// Files whose calls say nothing to the author.
const OWN = /sdk\/(component|component-reader|bridge)\.js|entry\.js/;

export const log = (level, message) => hostLog.write(level, message);

export function setConsole() {
  const lines = (level) => (...values) => hostLog.write(level, placed(values.map(shown).join(" ")));
  globalThis.console = {
    trace: lines("trace"), debug: lines("debug"), log: lines("info"), info: lines("info"), warn: lines("warn"),
    error: lines("error"),
  };
}

export const mistake = (what) => new TypeError(`the plugin's default export ${what}`);

// Runs when the component is built: the binding would only say that it expected a string.
export function checkDescription(plugin, kind) {
  if (plugin === null || typeof plugin !== "object") throw mistake(`is no ${kind}`);
  for (const key of ["name", "version", "summary"]) {
    if (typeof plugin[key] !== "string") throw mistake(`has no text as its \`${key}\``);
  }
  if (plugin.configSchema === null || typeof plugin.configSchema !== "object") {
    throw mistake("has no object as its `configSchema`");
  }
}

// Calls the function `name` of a plugin, and fails if it is async.
export function called(plugin, kind, name, work) {
  const { made, last } = noting(plugin[name], work);
  if (typeof made?.then === "function") {
    const error = new TypeError(`\`${name}\` is async, and nothing in a ${kind} waits`, { cause: last });
    const { fileName, lineNumber, columnNumber } = plugin[name];
    // Its own trace leads to this file alone.
    error.stack = `  at ${name} (${fileName}:${lineNumber}:${columnNumber})`;
    throw error;
  }
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

export function toOutput(output) {
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
export function told(work) {
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
  const kept = own.filter((frame) => !OWN.test(frame)).slice(0, 30);
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

export function variant(content, other) {
  return typeof content === "string" ? { tag: "text", val: content } : { tag: other, val: content };
}

export function json(value) {
  return value == null ? null : JSON.stringify(value);
}

export function shown(value) {
  return typeof value === "string" ? value : value instanceof Error ? String(value) : (JSON.stringify(value) ?? String(value));
}

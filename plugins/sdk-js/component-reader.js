// Between a reader and the component's imports and exports; runs only inside a component.

import * as hostReading from "synix:plugin/reading@0.1.1";

import { called, checkDescription, log, mistake, setConsole, shown, told, toOutput } from "./bridge.js";
import { setHost, setReceiver, TransformError } from "./synix.js";

const REASONS = ["hidden", "empty", "no-text", "duplicate", "branch", "unreadable", "unsupported", "filtered"];

export function exports(reader) {
  check(reader);
  setHost({ completeAll, log });
  setReceiver({
    at: (place) => hostReading.at(place),
    emit: (output) => hostReading.emit(toOutput(output)),
    skip: (what, reason) => {
      if (!REASONS.includes(reason)) throw new TypeError(`\`skip\` was given the reason ${shown(reason)}, not one of ${REASONS.join(", ")}`);
      hostReading.skip(what, { tag: reason });
    },
  });
  setConsole();
  return {
    describe: () => ({
      name: reader.name,
      version: reader.version,
      summary: reader.summary,
      configSchema: JSON.stringify(reader.configSchema),
      capabilities: [],
      shape: "per-input",
    }),
    read: (handle, config) =>
      told(() => {
        const file = fileOf(handle);
        const made = called(reader, "reader", "read", () => reader.read(file, JSON.parse(config)));
        // A reader that returns its artifacts, or is a generator, would lose them in silence.
        if (made !== undefined) {
          throw new TypeError(`\`read\` gave ${shown(made)}; it hands over artifacts with \`emit\` and returns nothing`);
        }
      }),
  };
}

// Runs when the component is built.
function check(reader) {
  checkDescription(reader, "reader");
  if (typeof reader.read !== "function") {
    const isTransform = typeof reader.execute === "function";
    throw mistake(`has no function \`read\`${isTransform ? '; for a transform, remove `kind` from `synix` in package.json' : ""}`);
  }
}

function fileOf(handle) {
  const size = handle.size();
  // QuickJS takes a u64 as a number, StarlingMonkey as a `BigInt`. Each position in a file is exact: it is below 2^53.
  const toOffset = typeof size === "bigint" ? BigInt : Number;
  return {
    name: handle.name(),
    size: Number(size),
    read: (offset, length) => {
      const part = handle.read(toOffset(offset), Math.min(length, 1 << 20));
      return part instanceof Uint8Array ? part : Uint8Array.from(part);
    },
  };
}

function completeAll() {
  throw new TransformError("llm-not-granted", "a reader has no model");
}

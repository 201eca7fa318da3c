// Write synix plugins in JavaScript or TypeScript; `synix.d.ts` says what each thing is.

export class TransformError extends Error {
  constructor(code, message) {
    super(message);
    this.name = "TransformError";
    this.code = code;
  }
}

export const invalidConfig = (message) => new TransformError("invalid-config", message);
export const invalidInput = (message) => new TransformError("invalid-input", message);
export const invalidAnswer = (message) => new TransformError("invalid-answer", message);

let host = null;

export function setHost(next) {
  const before = host;
  host = next;
  return before;
}

export function complete(request) {
  return completeAll([request])[0];
}

export function completeAll(requests) {
  if (host === null) {
    throw new TransformError("llm-not-granted", "there is no model; tests use `withModel` of testing.js");
  }
  return host.completeAll(requests);
}

export function log(message, level = "info") {
  host?.log(level, String(message));
}

let receiver = null;

export function setReceiver(next) {
  const before = receiver;
  receiver = next;
  return before;
}

function current() {
  if (receiver === null) throw new Error("nothing reads a file now; tests use `read` of testing.js");
  return receiver;
}

export const at = (place) => current().at(String(place));
export const emit = (output) => current().emit(output);
export const skip = (what, reason) => current().skip(String(what), reason);

const PART_BYTES = 256 << 10;

export function* readLines(file, maxBytes = 1 << 20) {
  let parts = [];
  let bytes = 0;
  let line = 1;
  const add = (part) => {
    bytes += part.length;
    // Nothing of a line that is too long needs to be kept.
    if (bytes > maxBytes) parts = [];
    else if (part.length > 0) parts.push(part);
  };
  const end = () => {
    const text = bytes > maxBytes ? undefined : decodeText(joined(parts, bytes));
    const found = { text: text?.replace(/\r$/, ""), bytes, line };
    [parts, bytes, line] = [[], 0, line + 1];
    return found;
  };
  for (let offset = 0; ; ) {
    const part = file.read(offset, PART_BYTES);
    if (part.length === 0) break;
    offset += part.length;
    let start = 0;
    for (let found = part.indexOf(10); found >= 0; found = part.indexOf(10, start)) {
      add(part.subarray(start, found));
      yield end();
      start = found + 1;
    }
    add(part.subarray(start));
  }
  if (bytes > 0) yield end();
}

function joined(parts, bytes) {
  if (parts.length === 1) return parts[0];
  const all = new Uint8Array(bytes);
  let start = 0;
  for (const part of parts) {
    all.set(part, start);
    start += part.length;
  }
  return all;
}

const LEAST = [0, 0x80, 0x800, 0x10000];

// QuickJS has no `TextDecoder`.
export function decodeText(bytes) {
  let text = "";
  let codes = [];
  for (let next = 0; next < bytes.length; ) {
    const first = bytes[next++];
    let code = first;
    if (first >= 0x80) {
      if (first < 0xc2 || first > 0xf4) return undefined;
      const more = first >= 0xf0 ? 3 : first >= 0xe0 ? 2 : 1;
      code = first & (0x3f >> more);
      for (let count = 0; count < more; count++) {
        const byte = bytes[next++];
        if (byte === undefined || (byte & 0xc0) !== 0x80) return undefined;
        code = (code << 6) | (byte & 0x3f);
      }
      if (code < LEAST[more] || code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) return undefined;
    }
    codes.push(code);
    if (codes.length === 4096) {
      text += String.fromCodePoint(...codes);
      codes = [];
    }
  }
  return text + String.fromCodePoint(...codes);
}

export function user(text, settings = {}) {
  const { system, ...others } = settings;
  const messages = [{ role: "user", parts: [text] }];
  if (system !== undefined) messages.unshift({ role: "system", parts: [system] });
  return { messages, ...others };
}

export function textOf(input) {
  if (typeof input.content !== "string") {
    throw invalidInput(`the input \`${input.header.label}\` is ${input.content.mediaType}, not text`);
  }
  return input.content;
}

// Unicode's `White_Space`, spelt out: `String.trim` has a list of its own, and not every engine knows `\p{White_Space}`.
const SPACE =
  "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000";
const isSpace = (character) => SPACE.includes(character);

export function trim(text) {
  let start = 0;
  let end = text.length;
  while (start < end && isSpace(text[start])) start++;
  while (end > start && isSpace(text[end - 1])) end--;
  return text.slice(start, end);
}

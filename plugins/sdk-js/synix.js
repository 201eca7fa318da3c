// Write synix transforms in JavaScript or TypeScript; `synix.d.ts` says what each thing is.

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

// The contract's values as plain JavaScript, on any machine; `wit/` says what each means.

/** Anything that JSON has. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** Bytes with their media type. */
export interface Blob {
  mediaType: string;
  data: Uint8Array;
}

/** How inputs become units. */
export type Shape = "per-input" | "grouped" | "all";

/** All that is known of an input without its content. */
export interface Header {
  label: string;
  kind: string;
  digest: string;
  metadata: Record<string, Json>;
}

/** An artifact handed to `execute`. */
export interface Input {
  header: Header;
  content: string | Blob;
}

/** A piece of work: positions of its inputs, and what it adds to the layer's config. */
export interface Unit {
  key: string;
  inputs: number[];
  config?: Record<string, Json>;
}

/** An artifact made by a unit. */
export interface Output {
  label: string;
  kind: string;
  content: string | Blob;
  metadata?: Record<string, Json>;
}

/** One turn of a conversation: texts and pictures. */
export interface Message {
  role: "system" | "user" | "assistant";
  parts: (string | Blob)[];
}

/** What is left out is the setting of the layer's model role. */
export interface Settings {
  maxTokens?: number;
  temperature?: number;
  stop?: string[];
  responseFormat?: Json;
  /** A model role of the pipeline file. */
  model?: string;
  /** Another number asks the same again. */
  sample?: number;
  /** Merged into the provider's request body. */
  options?: Record<string, Json>;
}

/** A question to a model. */
export interface Request extends Settings {
  messages: Message[];
}

/** A model's answer; `ending` is `complete` but for layers that accept other endings. */
export interface Response {
  text: string;
  ending: string;
  model: string;
  usage: { inputTokens: number; outputTokens: number };
  details: Record<string, Json>;
}

/** A pure function from a unit and the answers it asked for to outputs; a plugin's default export. */
export interface Transform<Config = Record<string, Json>> {
  /** Lower-case letters, digits and hyphens. */
  name: string;
  version: string;
  /** One line for people. */
  summary: string;
  shape: Shape;
  /** Names of the capabilities it uses: `["llm"]` where this is left out, `[]` for a transform that asks no model. */
  capabilities?: string[];
  /** A property with `"format": "file"` names a file in the project; the transform gets its text. */
  configSchema: Record<string, Json>;
  /** Divides a layer's inputs into units; needed for the shape `grouped`. */
  split?(inputs: Header[], config: Config): Unit[];
  /** Makes the outputs of one unit. Runs from its start again each time an answer has arrived. */
  execute(unit: Unit, inputs: Input[], config: Config): Output[];
}

/** A file of the project, for the time of one call of `read`. */
export interface File {
  /** The path below the project folder, with `/` as the separator. */
  name: string;
  /** The size in bytes. */
  size: number;
  /** Up to `length` bytes from `offset`, at most 1 MiB; empty at the end of the file. */
  read(offset: number, length: number): Uint8Array;
}

/** Why a reader leaves something out; `wit/reading.wit` says when each applies. */
export type Reason =
  | "hidden" | "empty" | "no-text" | "duplicate" | "branch" | "unreadable" | "unsupported" | "filtered";

/** A pure function from a file to artifacts, which it hands over with `emit`; a plugin's default export. */
export interface Reader<Config = Record<string, Json>> {
  /** Lower-case letters, digits and hyphens. */
  name: string;
  version: string;
  /** One line for people. */
  summary: string;
  /** A property with `"format": "file"` names a file in the project; the reader gets its text. */
  configSchema: Record<string, Json>;
  /** Reads one file. An error fails the file as a whole, so prefer to `skip` a part that cannot be read. */
  read(file: File, config: Config): void;
}

/** Why a plugin could not do its work: a name for machines and one sentence for people. */
export class TransformError extends Error {
  constructor(code: string, message: string);
  readonly code: string;
}

/** The config cannot be used. */
export function invalidConfig(message: string): TransformError;
/** An input cannot be used. */
export function invalidInput(message: string): TransformError;
/** The model's answer cannot be used. */
export function invalidAnswer(message: string): TransformError;

/** Asks one question. */
export function complete(request: Request): Response;
/** Asks questions that do not depend on each other, in one round; the answers stand in their order. */
export function completeAll(requests: Request[]): Response[];

/** Writes one line for the person who runs the build. */
export function log(message: unknown, level?: "trace" | "debug" | "info" | "warn" | "error"): void;

/** Names the place in the file, such as `line 12`, that the next artifacts and skipped parts come from. */
export function at(place: string): void;
/** Hands over one artifact of a file. Its label is unique within the layer. */
export function emit(output: Output): void;
/** Reports something that a reader leaves out; `what` names it for people. */
export function skip(what: string, reason: Reason): void;

/** A line of a file, without its line end. `text` is undefined if the line is too long or is not UTF-8. */
export interface Line {
  text: string | undefined;
  bytes: number;
  /** Counted from 1. */
  line: number;
}

/** Reads the lines of a file in parts. Keeps at most `maxBytes` of a line, 1 MiB if this is left out. */
export function readLines(file: File, maxBytes?: number): Generator<Line>;
/** Decodes UTF-8; undefined if the bytes are not UTF-8. */
export function decodeText(bytes: Uint8Array): string | undefined;

/** Returns a question of one text, with instructions in front where they are given. */
export function user(text: string, settings?: Settings & { system?: string }): Request;
/** Returns the content, or throws an error that names the input where it is not text. */
export function textOf(input: Input): string;
/** Returns the text without the white space at both ends, as Unicode defines it: the same in each language. */
export function trim(text: string): string;

/** What stands on the other side: synix, or a test's script. */
export interface Host {
  completeAll(requests: Request[]): Response[];
  log(level: string, message: string): void;
}

/** Puts `host` on the other side and returns the one before. */
export function setHost(host: Host | null): Host | null;

/** What takes the artifacts of a reader: synix, or a test. */
export interface Receiver {
  at(place: string): void;
  emit(output: Output): void;
  skip(what: string, reason: Reason): void;
}

/** Makes `receiver` take the artifacts, and returns the one before. */
export function setReceiver(receiver: Receiver | null): Receiver | null;

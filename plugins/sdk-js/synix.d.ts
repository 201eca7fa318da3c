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

/** Why a transform could not do its work: a name for machines and one sentence for people. */
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

import type { Blob, Input, Json, Output, Reader, Reason, Request, Response, Transform, Unit } from "./synix.js";

/** What happened while a scripted model was in place. */
export interface Ran<R> {
  result: R;
  requests: Request[];
  lines: [level: string, message: string][];
}

/** Runs `work` with `script` answering its requests. */
export function withModel<R>(
  script: (request: Request) => string | Response,
  work: (ran: Ran<undefined>) => R,
): Ran<R>;
/** Returns a complete answer of `text`. */
export function says(text: string): Response;
/** Returns an input of the kind `text`. */
export function input(label: string, content: string | Blob, metadata?: Record<string, Json>): Input;
/** Divides `inputs` into units and runs each of them, as the host does; the outputs stand in the order of the units. */
export function execute<C>(transform: Transform<C>, inputs: Input[], config?: C): Output[];
/** Divides `inputs` into units, and throws where they break a rule of the contract. */
export function split<C>(transform: Transform<C>, inputs: Input[], config?: C): Unit[];
/** Runs one unit, which names its inputs by their positions in `inputs`. */
export function executeUnit<C>(transform: Transform<C>, unit: Unit, inputs: Input[], config?: C): Output[];

/** What a reader did with a file. */
export interface ReaderRun {
  outputs: Output[];
  /** The place of each output. */
  places: string[];
  skipped: { place: string; what: string; reason: Reason }[];
}
/** Runs a reader on a file in memory, which it gets in parts of at most `partBytes` bytes. */
export function read<C>(
  reader: Reader<C>,
  name: string,
  content: Uint8Array,
  config?: C,
  partBytes?: number,
): ReaderRun;

import type { Blob, Input, Json, Output, Request, Response, Transform } from "./synix.js";

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
/** Runs one unit of all `inputs`. */
export function execute<C>(transform: Transform<C>, inputs: Input[], config?: C): Output[];

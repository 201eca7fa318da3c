// `console` writes lines of the log. `tsconfig.json` names this file; one that brings the web's or Node's types needs it not.

declare var console: Record<"trace" | "debug" | "log" | "info" | "warn" | "error", (...values: unknown[]) => void>;

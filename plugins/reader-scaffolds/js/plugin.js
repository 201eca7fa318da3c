// Reads files of cards: records with a blank line between them, of which each may begin with a title and a date.
//
//     title: The roof
//     date: 2026-03-02
//     Call Ann about the roof.

import { at, emit, readLines, skip, trim } from "./sdk/synix.js";

// A damaged file may have no line break at all, and a whole line of it may not fit in memory.
export const MAX_RECORD_BYTES = 1 << 20;
const FIELDS = ["title", "date"];

/** @type {import("./sdk/synix.js").Reader<{ min_chars?: number }>} */
export default {
  name: "{{name}}",
  version: "0.1.0",
  summary: "Reads the cards of a file",
  configSchema: {
    type: "object",
    properties: {
      min_chars: {
        type: "integer", minimum: 0, maximum: 1000, default: 1, description: "Leave out cards with fewer characters",
      },
    },
    additionalProperties: false,
  },
  read(file, { min_chars = 1 }) {
    let record = { lines: [], bytes: 0, line: 1 };
    let number = 0;
    const finish = () => {
      if (record.bytes === 0) return;
      number++;
      at(`line ${record.line}`);
      card(file.name, number, record, min_chars);
    };
    for (const { text, bytes, line } of readLines(file, MAX_RECORD_BYTES)) {
      if (text !== undefined && trim(text) === "") {
        finish();
        record = { lines: [], bytes: 0, line: line + 1 };
        continue;
      }
      record.bytes += bytes;
      // Nothing of a card that is skipped needs to be kept.
      if (record.bytes <= MAX_RECORD_BYTES) record.lines.push(text);
      else record.lines = [];
    }
    finish();
    if (number === 0) skip("the file, which has no cards", "empty");
  },
};

function card(file, number, { lines, bytes }, minChars) {
  if (bytes > MAX_RECORD_BYTES) return skip(`card ${number}, which is longer than 1 MiB`, "unreadable");
  if (lines.includes(undefined)) return skip(`card ${number}, which is not UTF-8`, "unreadable");
  const metadata = { file };
  const field = () => /^\s*([a-z]+)\s*:(.*)$/.exec(lines[0] ?? "");
  for (let found = field(); found && FIELDS.includes(found[1]); found = field()) {
    metadata[found[1]] = trim(found[2]);
    lines.shift();
  }
  const content = trim(lines.join("\n"));
  const what = metadata.title ?? `card ${number}`;
  if (content === "") return skip(what, "empty");
  if (content.length < minChars) return skip(what, "filtered");
  // The path without its extension: a label must be unique in the layer, so the name of the file is not enough.
  const stem = file.replace(/([^/])\.[^./]*$/, "$1");
  emit({ label: `${stem}-${number}`, kind: "card", content, metadata });
}

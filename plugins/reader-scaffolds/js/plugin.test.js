import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import reader, { MAX_RECORD_BYTES } from "./plugin.js";
import { read } from "./sdk/testing.js";

const cards = readFileSync(new URL("./example.cards", import.meta.url));

test("each card becomes an artifact", () => {
  const run = read(reader, "notes/example.cards", cards);
  const file = "notes/example.cards";
  assert.deepEqual(run.outputs, [
    {
      label: "notes/example-1", kind: "card", content: "Call Ann about the roof.\nIt leaks.",
      metadata: { file, title: "The roof", date: "2026-03-02" },
    },
    { label: "notes/example-3", kind: "card", content: "Pay the rent by Friday.", metadata: { file, title: "The rent" } },
  ]);
  assert.deepEqual(run.places, ["line 1", "line 8"]);
  assert.deepEqual(run.skipped, [{ place: "line 6", what: "Nothing", reason: "empty" }]);
});

test("a file in small parts gives the same", () => {
  assert.deepEqual(read(reader, "a.cards", cards), read(reader, "a.cards", cards, {}, 1));
});

test("a damaged card does not lose the file", () => {
  const long = Buffer.alloc(MAX_RECORD_BYTES + 1, "x");
  const run = read(reader, "a.cards", Buffer.concat([long, Buffer.from("\n\n\xff\n\nGood.\n", "latin1")]));
  assert.deepEqual(run.outputs.map(({ label }) => label), ["a-3"]);
  assert.deepEqual(run.skipped.map(({ reason }) => reason), ["unreadable", "unreadable"]);
});

test("short cards are left out", () => {
  const run = read(reader, "a.cards", Buffer.from("Short.\n\nLong enough.\n"), { min_chars: 10 });
  assert.deepEqual(run.outputs.map(({ content }) => content), ["Long enough."]);
  assert.deepEqual(run.skipped, [{ place: "line 1", what: "card 1", reason: "filtered" }]);
});

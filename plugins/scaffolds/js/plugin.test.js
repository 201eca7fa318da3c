import assert from "node:assert/strict";
import { test } from "node:test";

import transform from "./plugin.js";
import { execute, input, withModel } from "./sdk/testing.js";

const question = (request) => String(request.messages[0].parts[0]);

const model = (request) =>
  question(request).startsWith("List") ? " call Ada\npay rent \n" : "pay rent\n\ncall Ada";

test("both lists become outputs", () => {
  const ran = withModel(model, () => execute(transform, [input("monday", "Ada asked for a call; the rent is due.")]));
  const metadata = { source: "monday", count: 2 };
  assert.deepEqual(ran.result, [
    { label: "monday-items", kind: "action-items", content: "call Ada\npay rent", metadata },
    { label: "monday-ordered", kind: "action-items-ordered", content: "pay rent\n\ncall Ada", metadata },
  ]);
});

test("the second question holds the first answer", () => {
  const ran = withModel(model, () => execute(transform, [input("monday", "notes")], { limit: 3 }));
  const [listing, ordering] = ran.requests.map(question);
  assert.match(listing, /at most 3\./);
  assert.ok(ordering.endsWith("\n\ncall Ada\npay rent"));
});

test("a picture is refused before anything is asked", () => {
  const face = input("face", { mediaType: "image/png", data: new Uint8Array(1) });
  withModel(model, (ran) => {
    assert.throws(() => execute(transform, [face]), /`face` is image\/png, not text/);
    assert.equal(ran.requests.length, 0);
  });
});

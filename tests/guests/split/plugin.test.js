import assert from "node:assert/strict";
import { test } from "node:test";

import transform from "./plugin.js";
import { execute, executeUnit, input, split } from "./sdk/testing.js";

const inputs = [input("b", "two", { topic: "x" }), input("a", "one", { topic: "x" }), input("c", "three")];

test("execute divides the inputs", () => {
  const made = execute(transform, inputs).map(({ label, content }) => [label, content]);
  assert.deepEqual(made, [["x", "one\ntwo"], ["none", "three"]]);
});

test("split and one unit", () => {
  assert.deepEqual(split(transform, inputs), [{ key: "x", inputs: [1, 0] }, { key: "none", inputs: [2] }]);
  assert.equal(executeUnit(transform, { key: "y", inputs: [2] }, inputs)[0].label, "y");
  assert.throws(() => split({ ...transform, split: () => [{ key: "x", inputs: [3] }] }, inputs), /input 3/);
});

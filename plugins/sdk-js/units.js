// Which units a layer's inputs make, in a component and in tests alike.

import { TransformError } from "./synix.js";

export function unitsOf(transform, headers, config) {
  if (transform.split) return transform.split(headers, config);
  const all = headers.map((_, position) => position);
  const label = (position) => headers[position].label;
  if (transform.shape === "all") return [{ key: "all", inputs: all.sort((a, b) => (label(a) < label(b) ? -1 : 1)) }];
  if (transform.shape === "per-input") return all.map((position) => ({ key: headers[position].label, inputs: [position] }));
  throw new TransformError("no-split", `the transform ${transform.name} promises groups and has no \`split\``);
}

"use strict";

// The search of exported pages: artifacts.js has the beginning of each artifact.
const most = 50;
const form = document.querySelector("form.search");
const field = document.getElementById("q");
const count = document.getElementById("count");
const list = document.getElementById("results");

function found(words) {
  return artifacts.filter(([layer, label, , text]) => {
    const all = `${layer}/${label} ${text}`.toLowerCase();
    return words.every((word) => all.includes(word));
  });
}

function item([layer, label, address, text]) {
  const item = document.createElement("li");
  const link = document.createElement("a");
  link.href = address;
  link.textContent = label;
  const note = document.createElement("span");
  note.className = "note";
  note.textContent = ` in ${layer}`;
  const snippet = document.createElement("p");
  snippet.className = "snippet";
  snippet.textContent = text.slice(0, 200);
  item.append(link, note, snippet);
  return item;
}

function show() {
  const words = field.value.toLowerCase().split(/\s+/).filter((word) => word !== "");
  const results = words.length === 0 ? [] : found(words);
  list.replaceChildren(...results.slice(0, most).map(item));
  if (words.length === 0) count.textContent = "";
  else if (results.length > most) count.textContent = `the first ${most} of ${results.length} artifacts`;
  else count.textContent = results.length === 1 ? "1 artifact" : `${results.length} artifacts`;
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  show();
});
field.addEventListener("input", show);

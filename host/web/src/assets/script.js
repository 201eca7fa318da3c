// Replaces the part of a page that changes while a build runs. Without this script, the link "Reload" does the same.
"use strict";
(() => {
  const FIRST = 2000;
  const LONGEST = 30000;
  const part = document.getElementById("live");
  if (!part || !part.hasAttribute("data-live")) return;
  const address = new URL(location.href);
  address.searchParams.set("part", "update");
  const notice = document.getElementById("connection");
  let pause = FIRST;
  const tell = (text) => {
    if (notice && notice.textContent !== text) notice.textContent = text;
  };
  const update = async () => {
    try {
      const reply = await fetch(address, { cache: "no-store", redirect: "error" });
      if (!reply.ok) throw new Error(String(reply.status));
      const text = await reply.text();
      pause = FIRST;
      tell("");
      // A link that has the focus must not disappear below the user's fingers.
      if (part.innerHTML !== text && !part.contains(document.activeElement)) part.innerHTML = text;
      if (reply.headers.get("x-synix-live") === "no") {
        part.removeAttribute("data-live");
        return;
      }
    } catch {
      pause = Math.min(pause * 2, LONGEST);
      tell("The server does not answer; this page may be out of date.");
    }
    setTimeout(next, pause);
  };
  const next = () => {
    if (document.hidden) document.addEventListener("visibilitychange", update, { once: true });
    else update();
  };
  setTimeout(next, FIRST);
})();

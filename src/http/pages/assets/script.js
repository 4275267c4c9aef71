"use strict";
// Pages work without this; with it a run is watched as it goes, tables sort, and a form is sent once.
(() => {
  const WATCH_MILLIS = 1500;

  // A part of the page that says itself where it is told anew, and when there is nothing more to tell.
  const watch = (part) => {
    const look = async () => {
      try {
        const answer = await fetch(part.dataset.watch, { headers: { accept: "text/html" } });
        if (!answer.ok || answer.redirected) { return; }
        const text = await answer.text();
        const fresh = new DOMParser().parseFromString(text, "text/html").body;
        if (fresh.textContent !== part.textContent) { part.replaceChildren(...fresh.childNodes); }
        const over = part.querySelector("[data-over]");
        if (over) { window.location.assign(over.dataset.over); return; }
      } catch { /* The next look may succeed. */ }
      window.setTimeout(look, WATCH_MILLIS);
    };
    window.setTimeout(look, WATCH_MILLIS);
  };
  document.querySelectorAll("[data-watch]").forEach(watch);

  // Heads of tables become buttons. What is sorted is what the page shows.
  const value = (row, at) => {
    const cell = row.cells[at];
    const exact = cell?.querySelector("time")?.dateTime ?? cell?.textContent.trim() ?? "";
    const number = Number(exact.replace(/[,% ]/g, "").replace("\u2212", "-"));
    return exact !== "" && Number.isFinite(number) ? number : exact;
  };
  const order = (a, b) => {
    if (typeof a === "number" && typeof b === "number") { return a - b; }
    if (typeof a === "number") { return -1; }
    if (typeof b === "number") { return 1; }
    return a.localeCompare(b);
  };
  document.querySelectorAll("table[data-sort]").forEach((table) => {
    const body = table.tBodies[0];
    if (body.rows.length < 2) { return; }
    table.querySelectorAll("thead th").forEach((head, at) => {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => {
        const up = head.getAttribute("aria-sort") !== "ascending";
        table.querySelectorAll("thead th").forEach((other) => other.removeAttribute("aria-sort"));
        head.setAttribute("aria-sort", up ? "ascending" : "descending");
        const rows = [...body.rows].sort((a, b) => order(value(a, at), value(b, at)));
        body.append(...(up ? rows : rows.reverse()));
      });
    });
  });

  // The way through a customer may be wider than a phone.
  document.querySelector(".ways [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });

  // A form that works on something is sent once, and says so.
  document.addEventListener("submit", (event) => {
    const button = event.submitter;
    if (!button?.dataset.working) { return; }
    if (event.target.dataset.sent) { event.preventDefault(); return; }
    event.target.dataset.sent = "yes";
    button.textContent = button.dataset.working;
    button.setAttribute("aria-busy", "true");
  });
  // Whoever comes back to a page finds its forms as they were.
  window.addEventListener("pageshow", (event) => { if (event.persisted) { window.location.reload(); } });

  // Of a list to decide on: how many of it are meant.
  document.querySelectorAll("[data-tally]").forEach((told) => {
    const form = told.closest("form");
    const tell = () => {
      const kept = form.querySelectorAll("input[name=keep]:checked").length;
      const more = Number(told.dataset.tally);
      told.textContent = kept + more === 0 ? "Everybody is approved." : `${kept + more} stay as they are, everybody else is approved.`;
    };
    form.addEventListener("change", tell);
    tell();
  });
})();

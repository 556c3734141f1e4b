"use strict";
// This script adds tooltips, the colours of the map and sorting. The page is complete without it.

document.documentElement.classList.add("scripted");

// Replace a drawing by an interactive chart shortly before it is scrolled into view.
const activate = async (chart) => {
  const spec = JSON.parse(chart.querySelector('script[type="application/json"]').textContent);
  const drawn = chart.querySelector(".drawn");
  const live = document.createElement("div");
  live.className = "live";
  const { view } = await vegaEmbed(live, spec, {
    mode: "vega-lite",
    actions: false,
    renderer: "svg",
    ast: true, // expressions are interpreted, because the policy of the page forbids eval
  });
  const svg = live.querySelector("svg");
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", drawn.querySelector("svg").getAttribute("aria-label"));
  drawn.replaceWith(live);
  if (chart.classList.contains("map")) view.addEventListener("click", (_, item) => pick(item));
};
const seen = new IntersectionObserver(
  (entries) => {
    for (const entry of entries.filter((each) => each.isIntersecting)) {
      seen.unobserve(entry.target);
      activate(entry.target);
    }
  },
  { rootMargin: "400px" },
);
for (const chart of document.querySelectorAll(".chart")) seen.observe(chart);

// Show the predictions for a point of the map, and its audio if the page contains it.
const picked = document.querySelector(".picked");
const line = (name, text) => {
  const element = document.createElement(name);
  element.textContent = text;
  return element;
};
const pick = (item) => {
  const point = item && item.datum;
  if (!point || point.file === undefined) return;
  const lines = [line("b", point.file), line("span", `True: ${point.true}`)];
  lines.push(...point.prediction.split("; ").map((text) => line("span", text)));
  const clip = point.clip >= 0 && document.getElementById(`clip-${point.clip}`);
  const audio = clip && clip.querySelector("audio");
  if (audio) {
    const copy = audio.cloneNode();
    copy.autoplay = true;
    lines.push(copy);
  } else {
    lines.push(line("small", "No audio in this page."));
  }
  picked.replaceChildren(...lines);
};

// Clicking the title of a column sorts the table. Clicking again reverses the order.
for (const table of document.querySelectorAll("table.sortable")) {
  const body = table.tBodies[0];
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    const number = head.classList.contains("number");
    button.addEventListener("click", () => {
      const before = head.getAttribute("aria-sort");
      const down = before ? before === "ascending" : number;
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      const key = (row) => row.cells[column].dataset.key ?? row.cells[column].textContent;
      const missing = (row) => number && !("key" in row.cells[column].dataset);
      const rows = [...body.rows].sort((a, b) => {
        if (missing(a) || missing(b)) return missing(a) - missing(b);
        const order = number ? key(a) - key(b) : key(a).localeCompare(key(b), "en");
        return down ? -order : order;
      });
      body.append(...rows);
    });
  });
}

// Play a segment of a timeline.
for (const bar of document.querySelectorAll("[data-jump]")) {
  bar.addEventListener("click", () => {
    const audio = bar.closest(".timeline").querySelector("audio");
    audio.currentTime = Number(bar.dataset.jump);
    audio.play();
  });
}

"use strict";
// Tables sort by a click on a column's title, or by Enter on it; a second one turns the order round.
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

// Tables: filter rows, sort rows by a column, sort models by a metric, and tell what is behind a cell.
"use strict";

for (const input of document.querySelectorAll("[data-filter]")) {
  const name = input.dataset.filter;
  const count = document.querySelector(`[data-count="${name}"]`);
  const rows = [...document.querySelectorAll(`[data-filtered="${name}"] tbody tr:not(.group)`)];
  const groups = [...document.querySelectorAll(`[data-filtered="${name}"] tr.group`)];
  input.addEventListener("input", () => {
    const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const row of rows) {
      const text = (row.dataset.text ?? row.textContent).toLowerCase();
      row.hidden = !words.every((word) => text.includes(word));
      shown += !row.hidden;
    }
    for (const group of groups) group.hidden = !group.parentElement.querySelector("tr:not(.group):not([hidden])");
    count.textContent = words.length ? `${shown} of ${rows.length}` : "";
  });
}

const spelled = new Intl.Collator(undefined, { numeric: true });

function compareCells(a, b) {
  const [x, y] = [a, b].map((cell) => (cell.dataset.value === undefined ? NaN : Number(cell.dataset.value)));
  return Number.isNaN(x) || Number.isNaN(y) ? spelled.compare(a.textContent.trim(), b.textContent.trim()) : x - y;
}

for (const table of document.querySelectorAll("[data-sortable]")) {
  const headers = [...table.tHead.rows[0].cells];
  headers.forEach((header, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "sorts";
    button.append(...header.childNodes);
    header.append(button);
    button.addEventListener("click", () => {
      const up = header.getAttribute("aria-sort") !== "ascending";
      for (const other of headers) other.removeAttribute("aria-sort");
      header.setAttribute("aria-sort", up ? "ascending" : "descending");
      const rows = [...table.tBodies[0].rows];
      rows.sort((a, b) => (up ? 1 : -1) * compareCells(a.cells[column], b.cells[column]));
      table.tBodies[0].append(...rows);
    });
  });
}

// Models are columns: the best by a metric comes first, and a second click brings the suite's order back.
for (const table of document.querySelectorAll("table[data-columns]")) {
  const natural = [...table.tHead.rows[0].cells].slice(1).map((cell) => cell.dataset.model);
  if (natural.length < 2) continue;
  const arrange = (order) => {
    for (const row of table.rows) {
      const cells = new Map([...row.cells].slice(1).map((cell) => [cell.dataset.model, cell]));
      if (cells.size) row.append(...order.map((model) => cells.get(model)));
    }
  };
  const buttons = [];
  for (const row of table.querySelectorAll("tbody tr:not(.group)")) {
    const direction = row.cells[0].querySelector(".direction")?.getAttribute("aria-label");
    if (!direction) continue;
    const sign = direction.startsWith("higher") ? -1 : 1;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "arranges";
    button.textContent = "⇆";
    button.title = `Sort models by ${row.cells[0].querySelector(".tells").textContent}`;
    button.setAttribute("aria-label", button.title);
    button.setAttribute("aria-pressed", "false");
    row.cells[0].querySelector(".protocol").before(button);
    buttons.push(button);
    button.addEventListener("click", () => {
      const pressed = button.getAttribute("aria-pressed") !== "true";
      for (const other of buttons) other.setAttribute("aria-pressed", "false");
      button.setAttribute("aria-pressed", String(pressed));
      const value = new Map([...row.cells].slice(1).map((cell) => [cell.dataset.model, Number(cell.dataset.value)]));
      const rank = (model) => (Number.isNaN(value.get(model)) ? Infinity : sign * value.get(model));
      arrange(pressed ? [...natural].sort((a, b) => rank(a) - rank(b)) : natural);
    });
  }
}

for (const table of document.querySelectorAll("table[data-grid]")) {
  roam(table, "td", (grid) => [...grid.tBodies[0].rows].map((row) => [...row.cells].slice(1)));
  const tell = (event) => {
    const cell = event.target.closest("td");
    if (cell) showTip(cell, takenTitle(cell));
  };
  table.addEventListener("pointerover", tell);
  table.addEventListener("focusin", tell);
  table.addEventListener("pointerleave", hideTip);
  table.addEventListener("focusout", hideTip);
}

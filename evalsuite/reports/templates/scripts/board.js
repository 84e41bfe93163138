// A board: search, target and budgets decide which entries are shown everywhere; long tables have pages.
"use strict";

{
  const form = document.querySelector("form[data-board]");
  const tables = [...document.querySelectorAll("table[data-rows]")];
  const ranks = tables[0];
  const entries = [...ranks.tBodies[0].rows];
  const target = form.querySelector("[data-targets]");
  const search = form.querySelector("[data-search]");
  const budgets = [...form.querySelectorAll("[data-budget]")];
  const count = document.querySelector("[data-board-count]");
  const limit = Number(ranks.dataset.rows);
  let page = 0;

  // An entry keeps a budget unless its interval lies above it; one without the number cannot say so.
  function affordable(row) {
    return budgets.every((input) => {
      if (input.value === "") return true;
      const cell = row.querySelector(`[data-price="${input.dataset.budget}"]`);
      return cell !== null && Number(cell.dataset.low) <= Number(input.value) * Number(input.dataset.divisor);
    });
  }

  function wanted(row) {
    const text = row.dataset.text.toLowerCase();
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const there = !target || target.value === "" || row.dataset.place === target.value;
    return there && affordable(row) && words.every((word) => text.includes(word));
  }

  function refresh() {
    const fitting = new Set(entries.filter(wanted).map((row) => row.dataset.entry));
    const pages = Math.max(1, Math.ceil(fitting.size / limit));
    page = Math.min(Math.max(page, 0), pages - 1);
    for (const table of tables) {
      let position = 0;
      for (const row of table.tBodies[0].rows) {
        const fits = fitting.has(row.dataset.entry);
        row.hidden = !fits || Math.floor(position / limit) !== page;
        position += fits;
      }
    }
    for (const fold of document.querySelectorAll("details[data-entry]")) fold.hidden = !fitting.has(fold.dataset.entry);
    document.querySelector("[data-board-empty]").hidden = fitting.size > 0;
    const first = page * limit + 1;
    const last = Math.min(fitting.size, first + limit - 1);
    count.textContent = fitting.size ? `${first} to ${last} of ${fitting.size}` : "none";
    for (const button of document.querySelectorAll("[data-page]")) {
      const next = page + Number(button.dataset.page);
      button.disabled = next < 0 || next >= pages;
      button.hidden = pages === 1;
    }
    selection.hidden = new Set(entries.map((row) => row.dataset.entry).filter((entry) => !fitting.has(entry)));
    document.dispatchEvent(new Event("selection"));
  }

  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("input", () => {
    page = 0;
    refresh();
  });
  for (const button of document.querySelectorAll("[data-page]")) {
    button.addEventListener("click", () => {
      page += Number(button.dataset.page);
      refresh();
    });
  }
  for (const table of tables) table.tHead.addEventListener("click", refresh);
  refresh();
}

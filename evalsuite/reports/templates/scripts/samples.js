// Samples: filter them by slice and label, see two of them large, in a slider or as a difference.
"use strict";

{
  const section = document.getElementById("samples");
  const tables = [...section.querySelectorAll("table.gallery")];
  const viewer = document.getElementById("viewer");
  const subset = section.querySelector("[data-subset]");
  const label = section.querySelector("[data-label]");
  const shown = section.querySelector("[data-shown]");

  function filter() {
    const words = label.value.toLowerCase().split(/\s+/).filter(Boolean);
    let count = 0;
    for (const table of tables) {
      const headers = [...table.tHead.rows[0].cells];
      const hidden = headers.map((header, column) => {
        if (!column) return false;
        const inside = !subset?.value || header.dataset.within.split(" ").includes(subset.value);
        return !inside || !words.every((word) => header.title.toLowerCase().includes(word));
      });
      for (const row of table.rows) [...row.cells].forEach((cell, column) => (cell.hidden = hidden[column]));
      const left = hidden.filter((gone) => !gone).length - 1;
      table.parentElement.hidden = left === 0;
      count += left;
    }
    const total = tables.reduce((sum, table) => sum + table.tHead.rows[0].cells.length - 1, 0);
    shown.textContent = count === total ? "" : `${count} of ${total} columns`;
  }
  subset?.addEventListener("change", filter);
  label?.addEventListener("input", filter);

  // From a slice to its pictures: its own, where the run kept some; else those of all samples that belong to it.
  document.addEventListener("click", (event) => {
    const slice = event.target.closest("[data-drill]")?.dataset.drill;
    if (slice === undefined) return;
    const own = [...section.querySelectorAll("details[data-slice]")].filter((one) => one.dataset.slice === slice);
    const visible = own.find((one) => one.offsetParent) ?? own[0];
    if (visible) {
      event.preventDefault();
      visible.open = true;
      visible.scrollIntoView();
      visible.querySelector("summary").focus({ preventScroll: true });
    } else if (subset) {
      const option = [...subset.options].find((one) => one.text === slice);
      subset.value = option?.value ?? "";
      filter();
    }
  });

  // --- the viewer: two pictures of one sample
  let columns = [];
  let position = 0;

  function open(image) {
    const table = image.closest("table");
    columns = [...table.tHead.rows[0].cells].map((_, column) => column).slice(1).filter((column) => !table.rows[0].cells[column].hidden);
    viewer.table = table;
    position = columns.indexOf(image.closest("td").cellIndex);
    const rows = [...table.tBodies[0].rows].filter((row) => getComputedStyle(row).display !== "none");
    const here = rows.indexOf(image.closest("tr"));
    for (const list of viewer.querySelectorAll("[data-side]")) {
      list.replaceChildren(...rows.map((row, index) => new Option(row.cells[0].textContent.trim(), String(index))));
    }
    viewer.rows = rows;
    side("left").value = "0";
    side("right").value = String(here || Math.min(1, rows.length - 1));
    show();
    viewer.showModal();
  }

  function side(name) {
    return viewer.querySelector(`[data-side="${name}"]`);
  }

  function show() {
    const column = columns[position];
    const header = viewer.table.tHead.rows[0].cells[column];
    viewer.querySelector("#viewer-title").textContent = header.title;
    for (const name of ["left", "right"]) {
      const row = viewer.rows[Number(side(name).value)];
      const from = row.cells[column].querySelector("img");
      const picture = viewer.querySelector(`[data-picture="${name}"]`);
      picture.hidden = !from;
      if (from) {
        picture.src = from.src;
        picture.alt = from.alt;
      }
      const facts = from ? takenTitle(from) : row.cells[column].textContent;
      viewer.querySelector(`[data-facts="${name}"]`).textContent = [row.cells[0].textContent.trim(), facts].filter(Boolean).join(": ");
    }
    for (const button of viewer.querySelectorAll("[data-step]")) {
      button.disabled = !(position + Number(button.dataset.step) in columns);
    }
  }

  const explanations = {
    beside: "",
    slider: "Left of the line is the left picture, right of it the right one.",
    difference: "Black where both are the same; differences are four times as bright as they are.",
  };

  function mode(name) {
    viewer.querySelector(".stage").dataset.mode = name;
    viewer.querySelector(".cut").hidden = name !== "slider";
    viewer.querySelector("[data-explanation]").textContent = explanations[name];
    for (const button of viewer.querySelectorAll("[data-mode][aria-pressed]")) {
      button.setAttribute("aria-pressed", String(button.dataset.mode === name));
    }
  }

  function step(by) {
    if (!(position + by in columns)) return;
    position += by;
    show();
  }

  if (viewer) {
    for (const table of tables) {
      for (const image of table.querySelectorAll("img")) {
        image.tabIndex = -1;
        image.setAttribute("role", "button");
      }
      roam(table, "img", (grid) => [...grid.tBodies[0].rows].map((row) => [...row.cells].slice(1).map((cell) => cell.querySelector("img"))));
      table.addEventListener("click", (event) => event.target.matches("img") && open(event.target));
      table.addEventListener("keydown", (event) => {
        if (!event.target.matches("img") || !["Enter", " "].includes(event.key)) return;
        event.preventDefault();
        open(event.target);
      });
    }
    for (const list of viewer.querySelectorAll("[data-side]")) list.addEventListener("change", show);
    for (const button of viewer.querySelectorAll("button[data-mode]")) {
      button.addEventListener("click", () => mode(button.dataset.mode));
    }
    for (const button of viewer.querySelectorAll("[data-step]")) {
      button.addEventListener("click", () => step(Number(button.dataset.step)));
    }
    viewer.querySelector("[data-close]").addEventListener("click", () => viewer.close());
    const cut = viewer.querySelector("[data-cut]");
    cut.addEventListener("input", () => viewer.style.setProperty("--cut", `${cut.value}%`));
    viewer.addEventListener("keydown", (event) => {
      if (event.target.matches("select, input")) return;
      if (event.key === "ArrowLeft") step(-1);
      if (event.key === "ArrowRight") step(1);
    });
  }
}

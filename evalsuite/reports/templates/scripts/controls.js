// What is shown: models and targets everywhere at once, and the protocol behind a metric's name.
"use strict";

for (const element of document.querySelectorAll(".scripted")) element.hidden = false;

// A small box beside what the pointer or the focus is on; pages without scripts have the title attribute.
const tip = document.createElement("div");
tip.className = "tip";
tip.setAttribute("role", "status");
document.body.append(tip);

function place(box, anchor) {
  const around = anchor.getBoundingClientRect();
  const left = Math.min(around.left, document.documentElement.clientWidth - box.offsetWidth - 8);
  const below = around.bottom + 6;
  const fits = below + box.offsetHeight < innerHeight;
  box.style.left = `${Math.max(8, left)}px`;
  box.style.top = `${fits ? below : Math.max(8, around.top - box.offsetHeight - 6)}px`;
}

let tipped = null;

function showTip(anchor, text) {
  tipped = anchor;
  tip.textContent = text;
  tip.classList.toggle("shown", Boolean(text));
  if (text) place(tip, anchor);
}

function hideTip() {
  tip.classList.remove("shown");
}

// The title attribute would be a second box.
function takenTitle(element) {
  if (element.title) {
    element.dataset.title = element.title;
    element.removeAttribute("title");
  }
  return element.dataset.title ?? "";
}

addEventListener("keydown", (event) => event.key === "Escape" && hideTip());
// What gets the focus may scroll into view: its box goes with it.
const follow = () => (tipped && tipped === document.activeElement ? place(tip, tipped) : hideTip());
addEventListener("scroll", follow, { passive: true, capture: true });

// One element of a table takes part in the order of the Tab key; arrow keys go on to its neighbours.
function roam(table, selector, cells) {
  const first = table.querySelector(selector);
  if (!first) return;
  first.tabIndex = 0;
  table.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key];
    const here = event.target.closest(selector);
    if (!step || !here) return;
    event.preventDefault();
    const rows = cells(table);
    let row = rows.findIndex((one) => one.includes(here));
    let column = rows[row].indexOf(here);
    do {
      row += step[0];
      column += step[1];
    } while (rows[row]?.[column] && !rows[row][column].offsetParent);
    const next = rows[row]?.[column];
    if (!next) return;
    here.tabIndex = -1;
    next.tabIndex = 0;
    next.focus();
  });
}

// Classes on the root hide columns, rows and points; whoever draws by hand listens to "selection".
const selection = {
  target: document.querySelector("[data-targets]")?.value ?? "",
  hidden: new Set(),
  shows(model) {
    return !this.hidden.has(String(model));
  },
};

function select() {
  const root = document.documentElement.classList;
  for (const name of [...root]) if (/^(only-target|without-model)-/.test(name)) root.remove(name);
  if (selection.target !== "") root.add(`only-target-${selection.target}`);
  for (const model of selection.hidden) root.add(`without-model-${model}`);
  document.dispatchEvent(new Event("selection"));
}

document.querySelector("[data-targets]")?.addEventListener("change", (event) => {
  selection.target = event.target.value;
  select();
});
for (const button of document.querySelectorAll("[data-toggle]")) {
  button.addEventListener("click", () => {
    const shown = button.getAttribute("aria-pressed") !== "true";
    button.setAttribute("aria-pressed", String(shown));
    if (shown) selection.hidden.delete(button.dataset.toggle);
    else selection.hidden.add(button.dataset.toggle);
    select();
  });
}
select();

// The protocol opens on hover and focus, and stays after a click.
for (const button of document.querySelectorAll("button.tells")) {
  const told = document.getElementById(button.getAttribute("popovertarget"));
  let pinned = false;
  const show = () => {
    if (!told.matches(":popover-open")) told.showPopover();
    place(told, button);
  };
  const hide = () => {
    if (!pinned && told.matches(":popover-open")) told.hidePopover();
  };
  button.addEventListener("pointerenter", (event) => event.pointerType === "mouse" && show());
  button.addEventListener("pointerleave", () => setTimeout(() => told.matches(":hover") || hide(), 120));
  told.addEventListener("pointerleave", hide);
  button.addEventListener("focus", () => button.matches(":focus-visible") && show());
  button.addEventListener("blur", hide);
  button.addEventListener("click", (event) => {
    event.preventDefault();
    pinned = !pinned;
    if (pinned) show();
    else hide();
  });
  told.addEventListener("toggle", (event) => {
    if (event.newState === "closed") pinned = false;
  });
}

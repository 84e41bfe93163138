// The trade-off chart: any metric against any other, with intervals, the front of what no other beats, and curves.
"use strict";

for (const chart of document.querySelectorAll("[data-chart]")) {
  const data = JSON.parse(document.getElementById("chart-data").textContent);
  const axes = new Map(data.axes.map((axis) => [axis.name, axis]));
  const form = chart.querySelector("form");
  const caption = chart.querySelector("[data-caption]");
  const spots = Object.entries(data.spots).map(([key, spot]) => ({ key, ...spot }));
  const groups = () =>
    [...Map.groupBy(data.axes, (axis) => axis.group)].map(([title, members]) => [title, members.map((axis) => [axis.title, axis.name])]);
  const upright = plot.choice(form, "Upright", groups(), data.quality, draw);
  const across = plot.choice(form, "Across", groups(), data.prices[0] ?? data.axes.at(-1).name, draw);
  const svg = plot.canvas(chart);

  function front(shown, x, y) {
    const better = (axis, a, b) => (axis.higher ? a > b : a < b);
    const beats = (a, b) =>
      !better(x, b.x[0], a.x[0]) && !better(y, b.y[0], a.y[0]) &&
      (better(x, a.x[0], b.x[0]) || better(y, a.y[0], b.y[0]));
    return shown.filter((one) => !shown.some((other) => beats(other, one))).sort((a, b) => a.x[0] - b.x[0]);
  }

  function named(spot) {
    const where = data.targets.length > 1 && selection.target === "" ? ` on ${spot.target}` : "";
    return `${spot.model}${where}${spot.slice === "all" ? "" : `, ${spot.slice}`}`;
  }

  function draw() {
    const [x, y] = [axes.get(across.value), axes.get(upright.value)];
    const target = selection.target === "" ? null : data.targets[selection.target];
    const shown = spots
      .filter((spot) => x.name in spot.values && y.name in spot.values)
      .filter((spot) => selection.shows(spot.index) && (target === null || spot.target === target))
      .map((spot) => ({ ...spot, x: spot.values[x.name], y: spot.values[y.name] }));
    svg.selectAll("*").remove();
    if (!shown.length) {
      caption.textContent = `No shown model has both ${x.title} and ${y.title}.`;
      return;
    }
    const { size } = plot;
    const right = plot.scale(x, shown.map((spot) => spot.x), [size.left, size.width - size.right]);
    const up = plot.scale(y, shown.map((spot) => spot.y), [size.height - size.bottom, size.top]);
    const at = (spot) => [right(spot.x[0]), up(spot.y[0])];
    plot.frame(svg, right, up, plot.title(x), plot.title(y));

    const best = front(shown, x, y);
    if (x.name !== y.name) svg.append("path").attr("class", "front").attr("d", plot.line(best.map(at)));
    for (const curve of [...data.curves.flatMap(byModels), ...bySteps()]) {
      svg.append("path").attr("class", "curve").attr("d", plot.line(curve.map(at)));
    }
    const known = data.fronts.find((one) => one.quality === y.name && one.price === x.name && one.target === target);
    const words = { on: "on the front beyond chance", off: "off the front beyond chance", unsure: "perhaps on the front" };
    const described = (spot) =>
      [`${named(spot)}: ${plot.told(y, spot.y)}; ${plot.told(x, spot.x)}`, words[known?.places[spot.key]]].filter(Boolean).join("; ");
    const points = svg
      .selectAll(".spot")
      .data(shown)
      .join("g")
      .attr("class", (spot) => `spot model-${spot.index} ${spot.x[3] || spot.y[3] ? "doubtful" : ""}`)
      .attr("tabindex", 0)
      .attr("role", "img")
      .attr("aria-label", described)
      .on("pointerenter focus", (event, spot) => showTip(event.currentTarget, described(spot)))
      .on("pointerleave blur", hideTip);
    points.each(function (spot) {
      const group = d3.select(this);
      const [cx, cy] = at(spot);
      const within = (value) => (right.base === undefined ? value : Math.max(value, right.domain()[0]));
      if (spot.x[1] !== null) group.append("path").attr("class", "reach").attr("d", `M${right(within(spot.x[1]))} ${cy}H${right(spot.x[2])}`);
      if (spot.y[1] !== null) group.append("path").attr("class", "reach").attr("d", `M${cx} ${up(spot.y[1])}V${up(spot.y[2])}`);
      group.append("path").attr("class", "mark").attr("transform", `translate(${cx} ${cy})`).attr("d", plot.shape(spot.index));
      const aside = cx > size.width - 190;
      group.append("text").attr("x", cx + (aside ? -12 : 12)).attr("y", cy - 9).attr("text-anchor", aside ? "end" : "start").text(named(spot));
    });
    spread(points);
    svg.attr("aria-label", `${y.title} against ${x.title}: ${shown.length} points`);
    caption.textContent =
      `Bars are the intervals of both values. The dashed line joins what no other beats in both by value` +
      `${known ? "; a point's description says what holds beyond chance" : ""}: ${best.map(named).join(", ")}.`;

    function byModels({ models }) {
      const members = shown.filter((spot) => spot.slice === "all" && models.includes(spot.model));
      const byTarget = Map.groupBy(members, (spot) => spot.target);
      return [...byTarget.values()].map((group) => group.sort((a, b) => models.indexOf(a.model) - models.indexOf(b.model)));
    }

    function bySteps() {
      const swept = shown.filter((spot) => spot.slice.startsWith("num_steps="));
      const steps = (spot) => Number(spot.slice.slice("num_steps=".length));
      const groups = Map.groupBy(swept, (spot) => `${spot.model}@${spot.target}`);
      return [...groups.values()].map((group) => group.sort((a, b) => steps(a) - steps(b)));
    }
  }

  // Names that would cover one another move down or up; what finds no place is told on hover and focus alone.
  function spread(points) {
    const taken = [];
    points.select("text").each(function () {
      const text = d3.select(this);
      const start = Number(text.attr("y"));
      const free = [0, 26, -14, 40, -28, 54].find((shift) => {
        text.attr("y", start + shift);
        const box = this.getBBox();
        return !taken.some((o) => box.x < o.x + o.width && o.x < box.x + box.width && box.y < o.y + o.height && o.y < box.y + box.height);
      });
      if (free === undefined) text.remove();
      else taken.push(this.getBBox());
    });
  }

  // The figures stay for print, one click away.
  chart.parentElement.querySelector("details.static")?.removeAttribute("open");
  document.addEventListener("selection", draw);
  draw();
}

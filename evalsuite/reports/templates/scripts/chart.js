// The trade-off chart: any metric against any other, with intervals, the front of what no other beats, and curves.
"use strict";

for (const chart of document.querySelectorAll("[data-chart]")) {
  const data = JSON.parse(document.getElementById("chart-data").textContent);
  const axes = new Map(data.axes.map((axis) => [axis.name, axis]));
  const form = chart.querySelector("form");
  const caption = chart.querySelector("[data-caption]");
  const size = { width: 960, height: 440, left: 64, right: 24, top: 16, bottom: 48 };
  const spots = Object.entries(data.spots).map(([key, spot]) => ({ key, ...spot }));
  const shapes = [
    "M0-9 2.4-2.8 9-2.6 3.8 1.6 5.6 8 0 4.4-5.6 8-3.8 1.6-9-2.6-2.4-2.8Z",
    "M6 0A6 6 0 1 1-6 0 6 6 0 1 1 6 0Z",
    "M-5.3-5.3H5.3V5.3H-5.3Z",
    "M0-6.8 6.2 4.4H-6.2Z",
    "M0-7.2 6 0 0 7.2-6 0Z",
    "M0 6.8 6.2-4.4H-6.2Z",
    "M-2.2-6.4H2.2V-2.2H6.4V2.2H2.2V6.4H-2.2V2.2H-6.4V-2.2H-2.2Z",
    "M-6.2-3 -3-6.2 0-3.2 3-6.2 6.2-3 3.2 0 6.2 3 3 6.2 0 3.2-3 6.2-6.2 3-3.2 0Z",
    "M-6.8 0 4.4-6.2V6.2Z",
    "M6.8 0-4.4-6.2V6.2Z",
    "M0-6.6 6.3-2 3.9 5.4H-3.9L-6.3-2Z",
  ];

  function choice(label, chosen) {
    const holder = document.createElement("label");
    const list = document.createElement("select");
    const groups = Map.groupBy(data.axes, (axis) => axis.group);
    for (const [title, members] of groups) {
      const group = document.createElement("optgroup");
      group.label = title;
      for (const axis of members) group.append(new Option(axis.title, axis.name, false, axis.name === chosen));
      list.append(group);
    }
    holder.append(`${label} `, list);
    form.append(holder);
    list.addEventListener("change", draw);
    return list;
  }

  const upright = choice("Upright", data.quality);
  const across = choice("Across", data.prices[0] ?? data.axes.at(-1).name);
  const svg = d3
    .select(chart.querySelector(".canvas"))
    .append("svg")
    .attr("viewBox", `0 0 ${size.width} ${size.height}`)
    .attr("role", "group");

  function scale(axis, values, range) {
    const bounds = values.flatMap(([value, low, high]) => [value, low ?? value, high ?? value]);
    const logarithmic = axis.log && values.every(([value]) => value > 0);
    if (logarithmic) {
      const [low, high] = d3.extent(bounds.filter((bound) => bound > 0));
      return d3.scaleLog([low / 1.25, high * 1.25], range);
    }
    const [low, high] = d3.extent(bounds);
    const margin = (high - low || Math.abs(high) || 1) * 0.08;
    return d3.scaleLinear([low - margin, high + margin], range).nice();
  }

  // Ticks of a logarithmic axis at 1, 2 and 5 of each decade, as in the figures.
  function ticks(axis, scaled) {
    if (scaled.base === undefined) return axis.ticks(8);
    const wanted = scaled.ticks(8).filter((tick) => [1, 2, 5].includes(Number(tick.toExponential().split("e")[0])));
    return axis.tickValues(wanted.length > 1 ? wanted : scaled.ticks(4)).tickFormat(d3.format("~g"));
  }

  function front(shown, x, y) {
    const better = (axis, a, b) => (axis.higher ? a > b : a < b);
    const beats = (a, b) =>
      !better(x, b.x[0], a.x[0]) && !better(y, b.y[0], a.y[0]) &&
      (better(x, a.x[0], b.x[0]) || better(y, a.y[0], b.y[0]));
    return shown.filter((one) => !shown.some((other) => beats(other, one))).sort((a, b) => a.x[0] - b.x[0]);
  }

  function number(value) {
    return d3.format(Math.abs(value) >= 1e5 ? ".4s" : ".4~g")(value);
  }

  function told(axis, [value, low, high, invalid]) {
    const interval = low === null ? "" : ` [${number(low)}, ${number(high)}]`;
    return `${axis.title} ${number(value)}${interval}${axis.unit ? ` ${axis.unit}` : ""}${invalid ? " INVALID" : ""}`;
  }

  function named(spot) {
    const where = data.targets.length > 1 && selection.target === "" ? ` on ${spot.target}` : "";
    return `${spot.model}${where}${spot.slice === "all" ? "" : `, ${spot.slice}`}`;
  }

  function line(points) {
    return `M${points.map((point) => point.join(" ")).join("L")}`;
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
    const right = scale(x, shown.map((spot) => spot.x), [size.left, size.width - size.right]);
    const up = scale(y, shown.map((spot) => spot.y), [size.height - size.bottom, size.top]);
    const at = (spot) => [right(spot.x[0]), up(spot.y[0])];
    const [bottom, left] = [size.height - size.bottom, size.left];
    const xAxis = ticks(d3.axisBottom(right), right).tickSize(-(bottom - size.top));
    const yAxis = ticks(d3.axisLeft(up), up).tickSize(-(size.width - size.right - left));
    svg.append("g").attr("class", "axis").attr("aria-hidden", true).attr("transform", `translate(0 ${bottom})`).call(xAxis);
    svg.append("g").attr("class", "axis").attr("aria-hidden", true).attr("transform", `translate(${left} 0)`).call(yAxis);
    const title = (axis) => `${axis.title}${axis.unit ? ` [${axis.unit}]` : ""}; ${axis.higher ? "higher" : "lower"} is better`;
    const titles = svg.append("g").attr("class", "titles").attr("aria-hidden", true);
    titles.append("text").attr("x", (left + size.width - size.right) / 2).attr("y", size.height - 8).text(title(x));
    titles.append("text").attr("transform", `translate(14 ${(size.top + bottom) / 2}) rotate(-90)`).text(title(y));

    const best = front(shown, x, y);
    if (x.name !== y.name) svg.append("path").attr("class", "front").attr("d", line(best.map(at)));
    for (const curve of [...data.curves.flatMap(byModels), ...bySteps()]) {
      svg.append("path").attr("class", "curve").attr("d", line(curve.map(at)));
    }
    const known = data.fronts.find((one) => one.quality === y.name && one.price === x.name && one.target === target);
    const words = { on: "on the front beyond chance", off: "off the front beyond chance", unsure: "perhaps on the front" };
    const described = (spot) =>
      [`${named(spot)}: ${told(y, spot.y)}; ${told(x, spot.x)}`, words[known?.places[spot.key]]].filter(Boolean).join("; ");
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
      group.append("path").attr("class", "mark").attr("transform", `translate(${cx} ${cy})`).attr("d", shapes[spot.index % shapes.length]);
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

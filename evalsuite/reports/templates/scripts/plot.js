// What the charts share: marks, axes, and how a value is told.
"use strict";

const plot = {
  size: { width: 960, height: 440, left: 64, right: 24, top: 16, bottom: 48 },

  shapes: [
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
  ],

  shape(model) {
    return this.shapes[model % this.shapes.length];
  },

  // A drawing whose parts take the focus, in the chart's place for it.
  canvas(chart) {
    return d3
      .select(chart.querySelector(".canvas"))
      .append("svg")
      .attr("viewBox", `0 0 ${this.size.width} ${this.size.height}`)
      .attr("role", "group");
  },

  // A labelled list in the chart's form; options are [text, value], in groups by title.
  choice(form, label, groups, chosen, change) {
    const holder = document.createElement("label");
    const list = document.createElement("select");
    for (const [title, options] of groups) {
      const group = document.createElement("optgroup");
      group.label = title;
      for (const [text, value] of options) group.append(new Option(text, value, false, value === chosen));
      list.append(group);
    }
    holder.append(`${label} `, list);
    form.append(holder);
    list.addEventListener("change", change);
    return list;
  },

  scale(axis, values, range) {
    const bounds = values.flatMap(([value, low, high]) => [value, low ?? value, high ?? value]);
    const logarithmic = axis.log && values.every(([value]) => value > 0);
    if (logarithmic) {
      const [low, high] = d3.extent(bounds.filter((bound) => bound > 0));
      return d3.scaleLog([low / 1.25, high * 1.25], range);
    }
    const [low, high] = d3.extent(bounds);
    const margin = (high - low || Math.abs(high) || 1) * 0.08;
    return d3.scaleLinear([low - margin, high + margin], range).nice();
  },

  // Ticks of a logarithmic axis at 1, 2 and 5 of each decade, as in the figures.
  ticks(axis, scaled) {
    if (scaled.base === undefined) return axis.ticks(8);
    const wanted = scaled.ticks(8).filter((tick) => [1, 2, 5].includes(Number(tick.toExponential().split("e")[0])));
    return axis.tickValues(wanted.length > 1 ? wanted : scaled.ticks(4)).tickFormat(d3.format("~g"));
  },

  // The grid and the titles, which say in words what the marks say too.
  frame(svg, right, up, across, upright) {
    const { width, height, left, right: margin, top, bottom } = this.size;
    const floor = height - bottom;
    const xAxis = this.ticks(d3.axisBottom(right), right).tickSize(-(floor - top));
    const yAxis = this.ticks(d3.axisLeft(up), up).tickSize(-(width - margin - left));
    svg.append("g").attr("class", "axis").attr("aria-hidden", true).attr("transform", `translate(0 ${floor})`).call(xAxis);
    svg.append("g").attr("class", "axis").attr("aria-hidden", true).attr("transform", `translate(${left} 0)`).call(yAxis);
    const titles = svg.append("g").attr("class", "titles").attr("aria-hidden", true);
    titles.append("text").attr("x", (left + width - margin) / 2).attr("y", height - 8).text(across);
    titles.append("text").attr("transform", `translate(14 ${(top + floor) / 2}) rotate(-90)`).text(upright);
  },

  number(value) {
    return d3.format(Math.abs(value) >= 1e5 ? ".4s" : ".4~g")(value);
  },

  title(axis) {
    return `${axis.title}${axis.unit ? ` [${axis.unit}]` : ""}; ${axis.higher ? "higher" : "lower"} is better`;
  },

  told(axis, [value, low, high, invalid]) {
    const interval = low === null ? "" : ` [${this.number(low)}, ${this.number(high)}]`;
    return `${axis.title} ${this.number(value)}${interval}${axis.unit ? ` ${axis.unit}` : ""}${invalid ? " INVALID" : ""}`;
  },

  line(points) {
    return `M${points.map((point) => point.join(" ")).join("L")}`;
  },
};

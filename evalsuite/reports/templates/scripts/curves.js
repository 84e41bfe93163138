// Severity curves: a metric along the levels of a slice, a line a model, with its intervals as a band.
"use strict";

for (const chart of document.querySelectorAll("[data-curves]")) {
  const data = JSON.parse(document.getElementById("curves-data").textContent);
  const metrics = new Map(data.metrics.map((metric) => [metric.name, metric]));
  const form = chart.querySelector("form");
  const caption = chart.querySelector("[data-caption]");
  const groups = [...Map.groupBy(data.metrics, (one) => one.group)].map(([title, members]) => [title, members.map((one) => [one.title, one.name])]);
  const upright = plot.choice(form, "Upright", groups, data.metrics[0].name, draw);
  const along = plot.choice(form, "Along", [["Slices", data.axes.map((name) => [name, name])]], data.axes[0], draw);
  const svg = plot.canvas(chart);

  function draw() {
    const [metric, target] = [metrics.get(upright.value), Number(selection.target)];
    const lines = data.lines.filter(
      (line) => line.metric === metric.name && line.axis === along.value && line.target === target && selection.shows(line.index),
    );
    const where = data.targets.length > 1 ? ` on ${data.targets[target]}` : "";
    svg.selectAll("*").remove();
    if (!lines.length) {
      caption.textContent = `No shown model has ${metric.title} at several levels of ${along.value}${where}.`;
      return;
    }
    const { size } = plot;
    const points = lines.flatMap((line) => line.points);
    const right = plot.scale({}, points.map(([level]) => [level, null, null]), [size.left, size.width - size.right]);
    const up = plot.scale(metric, points.map(([, ...value]) => value), [size.height - size.bottom, size.top]);
    plot.frame(svg, right, up, along.value, plot.title(metric));
    for (const line of lines) {
      const bounded = line.points.filter(([, , low]) => low !== null);
      const edge = [...bounded.map(([level, , low]) => [right(level), up(low)]), ...bounded.toReversed().map(([level, , , high]) => [right(level), up(high)])];
      if (edge.length) svg.append("path").attr("class", `band model-${line.index}`).attr("d", `${plot.line(edge)}Z`);
    }
    for (const line of lines) {
      const group = svg.append("g").attr("class", `line model-${line.index}`);
      group.append("path").attr("class", "trend").attr("d", plot.line(line.points.map(([level, value]) => [right(level), up(value)])));
      const described = ([level, ...value]) => `${line.model}${where}, ${along.value} ${plot.number(level)}: ${plot.told(metric, value)}`;
      group
        .selectAll(".knot")
        .data(line.points)
        .join("path")
        .attr("class", ([, , , , invalid]) => `knot mark ${invalid ? "doubtful" : ""}`)
        .attr("d", plot.shape(line.index))
        .attr("transform", ([level, value]) => `translate(${right(level)} ${up(value)})`)
        .attr("tabindex", 0)
        .attr("role", "img")
        .attr("aria-label", described)
        .on("pointerenter focus", (event, point) => showTip(event.currentTarget, described(point)))
        .on("pointerleave blur", hideTip);
    }
    svg.attr("aria-label", `${metric.title} along ${along.value}${where}: ${lines.length} lines`);
    caption.textContent = `${metric.title} along ${along.value}${where}. Bands are intervals; hover over a mark or focus it for its numbers.`;
  }

  chart.parentElement.querySelector("details.static")?.removeAttribute("open");
  document.addEventListener("selection", draw);
  draw();
}

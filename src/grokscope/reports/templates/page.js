"use strict";
(() => {
  const { charts, themes } = JSON.parse(document.getElementById("data").textContent);
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const logTime = document.getElementById("log-time");
  const drawn = new Map();

  // The rules of Layout.fit, with the page's width.
  function fit({ columns, least, axis, most, cells }, width, panels) {
    const n = Math.max(1, Math.min(columns, panels, Math.floor(width / least)));
    const size = Math.min(most, Math.floor(width / n) - axis);
    const whole = Math.floor(size / cells) * cells;
    return [n, whole >= 0.75 * size ? whole : size];
  }

  // Time axes are the linear ones that start at step 0, under the name `step`.
  function toLogarithmic(part, first) {
    if (!part || typeof part !== "object") return;
    if (part.x && part.x.field === "step") {
      part.x.scale = { ...part.x.scale, type: "log", clamp: true };
      part.x.scale.domain = [first, part.x.scale.domain[1]];
    }
    Object.values(part).forEach((inner) => toLogarithmic(inner, first));
  }

  function prepare(chart, width) {
    const { datasets, ...rest } = chart.spec;
    const spec = { ...structuredClone(rest), datasets };
    const [columns, size] = fit(chart.layout, width, spec.concat.length);
    spec.columns = columns;
    for (const panel of spec.concat) {
      panel.width = size;
      if (chart.layout.square) panel.height = size;
    }
    if (chart.first_step && logTime?.checked) toLogarithmic(spec.concat, chart.first_step);
    return spec;
  }

  function theme(width) {
    const config = structuredClone(dark.matches ? themes.dark : themes.light);
    if (width < 560) {
      config.legend.layout = { top: { direction: "vertical", anchor: "start" } };
      config.legend.columns = 1;
    }
    return config;
  }

  async function draw(place) {
    const chart = charts[place.dataset.chart];
    const width = place.clientWidth - 16; // what the axes overhang
    drawn.get(place)?.finalize();
    const result = await vegaEmbed(place, prepare(chart, width), {
      mode: "vega-lite", renderer: "svg", ast: true, config: theme(width),
      downloadFileName: chart.name, scaleFactor: 2,
      actions: { export: true, source: false, compiled: false, editor: false },
    });
    drawn.set(place, result);
  }

  async function drawAll() {
    for (const place of document.querySelectorAll("[data-chart]")) await draw(place);
    document.documentElement.dataset.drawn = "all";
  }

  let width = innerWidth, waiting;
  addEventListener("resize", () => {
    if (innerWidth === width) return;
    width = innerWidth;
    clearTimeout(waiting);
    waiting = setTimeout(drawAll, 200);
  });
  dark.addEventListener("change", drawAll);
  logTime?.addEventListener("change", drawAll);
  drawAll();
})();

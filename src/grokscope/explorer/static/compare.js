// Several runs on one axis: accuracy, loss, and measures, a line for every run.

(() => {
  const { runs, measures } = parsed("shared");
  fitInto(window.frameElement);
  const steps = [Math.max(0, ...runs.flatMap((run) => Object.values(run.curves).map((curve) => curve.steps.at(-1))))];
  const shared = { steps, moments: { memorised: null, grokked: null }, curves: runs[0]?.curves ?? {} };
  const kinds = runs.map((_, i) => `series-${(i % 4) + 1}${["", " dashed", " dotted"][Math.floor(i / 4) % 3]}`);
  const state = { time: "linear" };
  const grid = document.getElementById("figures");
  const shown = [];

  function add(name, title, low, high, logarithmic) {
    const figure = new Figure(name.replaceAll(" ", "-"), title, "", true);
    const curves = runs
      .map((run, i) => [run.name, kinds[i], run.curves[name]?.steps, run.curves[name]?.values])
      .filter((curve) => curve[2]);
    const known = curves.flatMap((curve) => curve[3]).filter((v) => v !== null && (!logarithmic || v > 0));
    const ends = logarithmic ? [Math.min(...known) / 1.5, Math.max(...known) * 1.5] : [low, Math.max(high, ...known)];
    const found = { curves, low: ends[0], high: ends[1], logarithmic, title, legend: false };
    grid.append(figure.element);
    const each = new TimeCurves(figure, shared, () => found);
    shown.push(each);
    const names = curves.map(([words, kind]) => {
      const item = document.createElement("li");
      const swatch = mark("svg", { viewBox: "0 0 30 8", class: "swatch" }, mark("line", { class: `line ${kind}`, x1: 0, x2: 30, y1: 4, y2: 4 }));
      item.append(swatch, words);
      return item;
    });
    const list = document.createElement("ul");
    list.className = "names";
    list.append(...names);
    figure.caption.append(list);
  }

  add("test accuracy", "Test accuracy", 0, 1, false);
  add("train accuracy", "Train accuracy", 0, 1, false);
  add("test loss", "Test loss", 0, 1, true);
  for (const [name, title] of measures) add(name, title, 0, 1, false);
  const time = options("time", { linear: "linear", log: "logarithmic" }, "linear");
  const draw = () => {
    state.time = time.value;
    for (const each of shown) each.show(null, state);
  };
  time.addEventListener("change", draw);
  document.getElementById("controls").append(labelled("time", time));
  draw();
  document.documentElement.dataset.drawn = "all";
})();

// What runs over training time: accuracy, loss, measures, and claims, each with a marker.

const WIDE = { width: 620, height: 250, left: 50, right: 610, top: 26, bottom: 212 };

/** Draws curves over time once, and then moves their marker. */
class TimeCurves {
  /** Arguments: the figure; `find(state)`, which returns the curves and the vertical axis:
  `{curves: [[name, class, steps, values]], low, high, logarithmic, title}`. */
  constructor(figure, shared, find) {
    this.figure = figure;
    this.shared = shared;
    this.find = find;
    this.drawn = "";
  }

  show(frame, state) {
    const found = this.find(state);
    const drawn = JSON.stringify([found.title, found.names, state.time]);
    if (drawn !== this.drawn) this.draw(found, state, drawn);
    if (this.marker && frame) {
      const at = this.x(Math.max(frame.step, this.x.low));
      this.marker.setAttribute("d", `M${at},${WIDE.top}V${WIDE.bottom}`);
    }
  }

  draw(found, state, drawn) {
    this.drawn = drawn;
    this.marker = null;
    this.figure.element.hidden = !found.curves.length; // as of a network that was trained elsewhere
    if (!found.curves.length) return;
    this.x = timeScale(this.shared, state.time);
    const y = scale([found.low, found.high], [WIDE.bottom, WIDE.top], found.logarithmic);
    const svg = plot(WIDE, this.x, y, { x: "step", y: found.title }, { yLabel: found.label });
    svg.append(...phases(this.shared.moments, this.x));
    for (const [name, kind, steps, values] of found.curves) svg.append(line(steps, values, this.x, y, kind));
    if (found.legend !== false) svg.append(legend(found.curves, WIDE.right, 8));
    this.marker = mark("path", { class: "marker" });
    svg.append(this.marker);
    svg.addEventListener("click", (event) => this.onStep?.(stepAt(svg, event, this.x)));
    const rows = () => [
      ["step", "curve", "value"],
      ...found.curves.flatMap(([name, , steps, values]) => steps.map((s, i) => [s, name, values[i]])),
    ];
    this.figure.show({ svg, rows, said: found.curves.map(([name]) => name).join(", ") });
  }
}

function timeScale({ steps, curves }, time) {
  const ends = Object.values(curves).map((curve) => curve.steps.at(-1) ?? 0);
  const last = Math.max(steps.at(-1) ?? 0, ...ends, 1);
  const first = Object.values(curves)[0]?.steps.find((s) => s > 0) ?? steps.find((s) => s > 0) ?? 1;
  return scale([time === "log" ? first : 0, last], [WIDE.left, WIDE.right], time === "log");
}

/** Returns the step under the pointer. */
function stepAt(svg, event, x) {
  const { left, width } = svg.getBoundingClientRect();
  const at = ((event.clientX - left) / width) * svg.viewBox.baseVal.width;
  const share = (at - x.from) / (x.to - x.from);
  return x.logarithmic ? x.low * (x.high / x.low) ** share : x.low + share * (x.high - x.low);
}

/** Returns rules where the network memorised and grokked, with the words. */
function phases({ memorised, grokked }, x) {
  const found = [["memorised", memorised], ["grokked", grokked]].filter(([, step]) => step !== null);
  return found.flatMap(([name, step], i) => {
    const at = x(Math.max(step, x.low));
    const end = at > WIDE.right - 70;
    const text = { x: at + (end ? -3 : 3), y: WIDE.bottom - 6 - 14 * i, "text-anchor": end ? "end" : "start" };
    return [
      mark("path", { class: `moment ${name}`, d: `M${at},${WIDE.top}V${WIDE.bottom}` }),
      mark("text", { class: "moment", ...text }, `${name} ${step.toLocaleString("en")}`),
    ];
  });
}

const SIDES = [["train", "series-1"], ["test", "series-2"], ["unleaked", "series-3"]];

function ofSides(shared, what) {
  return SIDES.filter(([side]) => shared.curves[`${side} ${what}`]).map(([side, kind]) => {
    const { steps, values } = shared.curves[`${side} ${what}`];
    return [side === "unleaked" ? "test, unleaked" : side, kind, steps, values];
  });
}

function accuracyCurves(shared) {
  const title = "accuracy (share of pairs)";
  const label = (share) => `${Math.round(100 * share)}%`;
  return { curves: ofSides(shared, "accuracy"), low: 0, high: 1, logarithmic: false, title, label };
}

function lossCurves(shared) {
  const curves = ofSides(shared, "loss");
  const known = curves.flatMap((curve) => curve[3]).filter((v) => v !== null && v > 0);
  const [low, high] = known.length ? [Math.min(...known) / 1.5, Math.max(...known) * 1.5] : [0.1, 1];
  return { curves, low, high, logarithmic: true, title: "cross-entropy (nats)" };
}

/** Returns the curves of one measure: both matrices, in both bases. */
function measureCurves(shared, key) {
  const found = shared.measures.filter((measure) => measure.key === key);
  const curves = found.map(({ matrix, basis, steps, values }) => [
    `${matrix} ${basis}`,
    `${matrix === "W_E" ? "series-1" : "series-2"}${basis === shared.basis.name ? "" : " dashed"}`,
    steps,
    values,
  ]);
  const known = curves.flatMap((curve) => curve[3]).filter((v) => v !== null);
  const high = Math.max(1, ...known);
  const title = found[0]?.symbol ?? "";
  return { curves, low: Math.min(0, ...known), high, logarithmic: false, title, names: key };
}

const SIGNS = { holds: "✓", fails: "✗", "not testable": "·", "": "" };
const VERDICT_SIGNS = { explained: "✓", partly: "~", "not decided": "?", "not explained": "✗" };

/** Draws the claims as rows over the snapshots; the last row is the verdict. */
function drawClaims(figure, claims, step) {
  const rows = [
    ...claims.claims.map(({ name, statement, verdicts }) => [name, statement, verdicts, SIGNS]),
    ["verdict", "what follows from the claims", claims.verdicts, VERDICT_SIGNS],
  ];
  const names = 170;
  const width = Math.max(1100, names + 26 * claims.steps.length);
  const cell = (width - names - 10) / claims.steps.length;
  const height = 17 * rows.length + 46;
  const svg = mark("svg", { viewBox: `0 0 ${width} ${height}`, role: "img" });
  rows.forEach(([name, statement, verdicts, signs], i) => {
    const y = 6 + 17 * i;
    const label = mark("text", { x: names - 8, y: y + 12, "text-anchor": "end", class: "name" }, name);
    label.append(mark("title", {}, statement));
    svg.append(label);
    verdicts.forEach((verdict, j) => {
      const place = { x: names + j * cell + 0.5, y, width: cell - 1, height: 16 };
      const box = mark("rect", { ...place, class: `claim ${verdict.replaceAll(" ", "-")}` });
      box.append(mark("title", {}, `step ${claims.steps[j].toLocaleString("en")}: ${statement}: ${verdict}`));
      const at = { x: names + (j + 0.5) * cell, y: y + 12, "text-anchor": "middle", class: "sign" };
      svg.append(box, mark("text", at, signs[verdict] ?? ""));
    });
  });
  const every = Math.ceil(46 / cell);
  claims.steps.forEach((at, j) => {
    const place = { x: names + (j + 0.5) * cell, y: height - 22, "text-anchor": "middle", class: "tick" };
    if (j % every === 0) svg.append(mark("text", place, short(at)));
  });
  const here = claims.steps.indexOf(step);
  if (here >= 0) {
    const place = { x: names + here * cell, y: 4, width: cell, height: 17 * rows.length + 3 };
    svg.append(mark("rect", { ...place, class: "here" }));
  }
  const table = () => [
    ["claim", "statement", ...claims.steps],
    ...rows.map(([name, statement, verdicts]) => [name, statement, ...verdicts]),
  ];
  figure.show({ svg, rows: table, said: "claims by snapshot" });
}

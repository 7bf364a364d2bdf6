// What one snapshot shows: spectra, a circle, maps over pairs, norms in two dimensions, neurons.

/** Draws the share of each frequency as bars; a bar that is clicked becomes the chosen one. */
function drawSpectrum(figure, shares, state, keys, choose) {
  const most = Math.max(...shares, 0);
  const high = [0.05, 0.1, 0.2, 0.5, 1].find((end) => most <= end) ?? 1;
  const x = scale([0.5, shares.length + 0.5], [BOX.left, BOX.right]);
  const y = scale([0, high], [BOX.bottom, BOX.top]);
  const whole = ticks(scale([1, shares.length], [0, 1]), 6).filter(Number.isInteger);
  const percent = (value) => `${short(100 * value)}%`;
  const svg = plot(BOX, x, y, { x: "frequency k", y: "share of the squared norm" }, { xTicks: whole, yLabel: percent });
  const width = Math.max(1, (x(2) - x(1)) * 0.8);
  shares.forEach((share, i) => {
    const k = i + 1;
    const kind = k === state.k ? "chosen" : keys.includes(k) ? "key" : "other";
    const place = { x: x(k) - width / 2, y: y(share), width, height: BOX.bottom - y(share) };
    const bar = mark("rect", { ...place, class: `bar ${kind}` });
    const target = mark("rect", { x: x(k) - width / 2, y: BOX.top, width, height: BOX.bottom - BOX.top, class: "target" });
    target.append(mark("title", {}, `k = ${k}: ${percent(share)}`));
    target.addEventListener("click", () => choose({ k }));
    svg.append(bar, target);
  });
  const rows = () => [["k", "share"], ...shares.map((share, i) => [i + 1, share])];
  const order = shares.map((share, i) => [share, i + 1]).sort((a, b) => b[0] - a[0]);
  const said = `strongest k: ${order.slice(0, 3).map(([, k]) => k).join(", ")}`;
  figure.show({ svg, rows, said });
}

/** Draws each residue in the plane of the chosen frequency, coloured by its place on the circle. */
function drawCircle(figure, points, k, turns, n, palette) {
  const [, p] = points.shape;
  const at = (x, axis) => points.value(2 * ((k - 1) * p + x) + axis);
  const shown = turns.map((_, x) => x).filter((x) => at(x, 0) !== null && turns[x] >= 0);
  const reach = 1.15 * Math.max(1e-12, ...shown.map((x) => Math.hypot(at(x, 0), at(x, 1))));
  const x = scale([-reach, reach], [SQUARE.left, SQUARE.right]);
  const y = scale([-reach, reach], [SQUARE.bottom, SQUARE.top]);
  const svg = plot(SQUARE, x, y, { x: "along the cosine", y: "along the sine" });
  const every = Math.ceil(shown.length / 10);
  const inOrder = [...shown].sort((a, b) => turns[a] - turns[b]);
  inOrder.forEach((residue, i) => {
    const [cx, cy] = [x(at(residue, 0)), y(at(residue, 1))];
    const fill = `rgb(${colourAt(palette, turns[residue] / n)})`;
    const dot = mark("circle", { cx, cy, r: 3.2, fill, class: "dot" });
    dot.append(mark("title", {}, `residue ${residue}, place ${turns[residue]} of ${n}`));
    svg.append(dot);
    if (i % every === 0) svg.append(mark("text", { x: cx + 6, y: cy - 5, class: "name" }, residue));
  });
  svg.append(colourBar(SQUARE, palette, 0, n));
  const rows = () => [
    ["residue", "place", "along cosine", "along sine"],
    ...shown.map((r) => [r, turns[r], at(r, 0), at(r, 1)]),
  ];
  figure.show({ svg, rows, said: `${shown.length} residues, k = ${k}` });
}

/** Returns residues in the order in which a map shows them, and the name of that axis.

Plain; by the coordinate; or by k times the coordinate. Where it is undefined they stand last. */
function ordered(coordinate, n, state, name) {
  const residues = coordinate.map((_, x) => x);
  if (state.order === "plain") return { order: residues, title: name };
  const factor = state.order === "turned" ? state.k : 1;
  const place = (x) => (coordinate[x] < 0 ? n : (factor * coordinate[x]) % n);
  const order = residues.sort((a, b) => place(a) - place(b) || a - b);
  const of = { x: "u(x)", y: "v(y)" }[name];
  return { order, title: factor === 1 ? `${name} by ${of}` : `${name} by ${factor}·${of} mod ${n}` };
}

/** Draws a map over pairs.

`cell(i)` is the number of pair i = x·p + y, `colour(i)` its colour. */
function drawMap(figure, orders, p, { cell, colour, bar, said }) {
  const canvas = figure.canvas ?? document.createElement("canvas");
  figure.canvas = canvas;
  paint(canvas, p, p, (x, y) => colour(orders.x.order[x] * p + orders.y.order[y]));
  const x = scale([-0.5, p - 0.5], [SQUARE.left, SQUARE.right]);
  const y = scale([-0.5, p - 0.5], [SQUARE.bottom, SQUARE.top]);
  const label = (order) => (i) => order[i] ?? "";
  const at = ticks(scale([0, p - 1], [0, 1]), 5).filter(Number.isInteger);
  const svg = plot(SQUARE, x, y, { x: orders.x.title, y: orders.y.title }, {
    xTicks: at, yTicks: at, xLabel: label(orders.x.order), yLabel: label(orders.y.order),
  });
  svg.querySelectorAll(".grid").forEach((grid) => grid.remove());
  if (bar) svg.append(bar);
  const rows = () => [
    ["x", "y", "value"],
    ...Array.from({ length: p * p }, (_, i) => [Math.floor(i / p), i % p, cell(i)]),
  ];
  figure.show({ svg, rows, canvas, box: SQUARE, said });
}

/** Draws shades between the least and the largest number of a map. */
function drawShades(figure, orders, p, array, palette) {
  drawMap(figure, orders, p, {
    cell: (i) => array.value(i),
    colour: (i) => (array.shade(i) === null ? null : colourAt(palette, array.shade(i))),
    bar: colourBar(SQUARE, palette, array.low, array.high),
    said: `from ${short(array.low)} to ${short(array.high)}`,
  });
}

const ANSWERS = [
  ["right, trained", [0, 114, 178]],
  ["right, not trained", [86, 180, 233]],
  ["wrong", [213, 94, 0]],
];

/** Draws which pairs are answered rightly. */
function drawAnswers(figure, orders, shared, answers) {
  const { p, labels, trained } = shared;
  const known = new Set(trained ?? []);
  const names = trained ? ANSWERS : [["right", ANSWERS[0][1]], ["right", ANSWERS[0][1]], ANSWERS[2]];
  const kind = (i) => (answers.cells[i] !== labels[i] ? 2 : known.has(i) ? 0 : 1);
  let right = 0;
  let all = 0;
  labels.forEach((label, i) => {
    all += label >= 0;
    right += label >= 0 && answers.cells[i] === label;
  });
  drawMap(figure, orders, p, {
    cell: (i) => answers.cells[i],
    colour: (i) => (labels[i] < 0 ? null : names[kind(i)][1]),
    said: `${right} of ${all} pairs are right`,
  });
  const row = mark("g", { class: "legend" });
  names.slice(trained ? 0 : 1).forEach(([name, colour], i) => {
    const x = (trained ? [2, 97, 212] : [2, 97])[i];
    row.append(
      mark("rect", { x, y: 3, width: 10, height: 10, fill: `rgb(${colour})` }),
      mark("text", { x: x + 14, y: 12 }, name),
    );
  });
  figure.drawing.svg.append(row);
  figure.caption.textContent = `${right.toLocaleString("en")} of ${all.toLocaleString("en")} pairs are right.`;
}

/** Draws the norm of each product of a wave of x and a wave of y, as a power of ten. */
function drawNorms(figure, norms, palette) {
  const canvas = figure.canvas ?? document.createElement("canvas");
  figure.canvas = canvas;
  const [rows, columns] = norms.shape;
  paint(canvas, rows, columns, (x, y) => colourAt(palette, norms.shade(x * columns + y)));
  const x = scale([0, (rows - 1) / 2], [SQUARE.left, SQUARE.right]);
  const y = scale([0, (columns - 1) / 2], [SQUARE.bottom, SQUARE.top]);
  const svg = plot(SQUARE, x, y, { x: "frequency in x", y: "frequency in y" });
  svg.querySelectorAll(".grid").forEach((grid) => grid.remove());
  svg.append(colourBar(SQUARE, palette, norms.low, norms.high));
  const wave = (i) => (i === 0 ? "1" : `${i % 2 ? "cos" : "sin"} ${Math.ceil(i / 2)}`);
  const table = () => [
    ["wave of x", "wave of y", "log10 of norm / largest"],
    ...Array.from({ length: rows * columns }, (_, i) => [
      wave(Math.floor(i / columns)), wave(i % columns), norms.value(i),
    ]),
  ];
  figure.show({ svg, rows: table, canvas, box: SQUARE });
}

/** Draws each neuron at its frequency and phase, as large as it moves the logits. */
function drawNeurons(figure, points, frequencies, state, choose) {
  const box = { ...BOX, height: 300, bottom: 262 };
  const x = scale([0.5, frequencies + 0.5], [box.left, box.right]);
  const y = scale([-Math.PI, Math.PI], [box.bottom, box.top]);
  const angles = [-Math.PI, -Math.PI / 2, 0, Math.PI / 2, Math.PI];
  const names = ["−π", "−π/2", "0", "π/2", "π"];
  const svg = plot(box, x, y, { x: "frequency k", y: "phase φ of cos(k·u + φ)" }, {
    xTicks: ticks(scale([1, frequencies], [0, 1]), 6).filter(Number.isInteger),
    yTicks: angles, yLabel: (angle) => names[angles.indexOf(angle)],
  });
  points.frequency.forEach((k, j) => {
    const [phase, amplitude, share] = [points.phase[j], points.amplitude[j], points.share[j]];
    if (phase === null || amplitude === null || amplitude < 1e-4) return;
    const kind = `${share > 0.85 ? "pure" : "mixed"}${k === state.k ? " chosen" : ""}${j === state.neuron ? " here" : ""}`;
    const dot = mark("circle", { cx: x(k), cy: y(phase), r: 1 + 4 * amplitude, class: `neuron ${kind}` });
    dot.append(mark("title", {}, `neuron ${j}: k = ${k} holds ${Math.round(100 * share)}% of its variance`));
    dot.addEventListener("click", () => choose({ neuron: j, k }));
    svg.append(dot);
  });
  const rows = () => [
    ["neuron", "k", "phase", "amplitude", "share"],
    ...points.frequency.map((k, j) => [j, k, points.phase[j], points.amplitude[j], points.share[j]]),
  ];
  const pure = points.share.filter((share, j) => share > 0.85 && points.amplitude[j] >= 1e-4).length;
  const active = points.amplitude.filter((amplitude) => amplitude >= 1e-4).length;
  figure.caption.textContent =
    `${pure} of ${active} active neurons have over 85% of their variance at one frequency (filled).` +
    " Larger: moves the logits more. Click one to see its map.";
  figure.show({ svg, rows, said: `${pure} of ${active} neurons have one frequency` });
}

// One pair tried: the answer, the largest logits, where heads look, and how each key votes.

class TryIt {
  constructor(shared, source) {
    Object.assign(this, { shared, source });
    this.defaults = { at: shared.steps.at(-1) ?? 0, x: 1, y: 2, sorted: "plain" };
    this.state = fromAddress(this.defaults);
    this.figures = {
      logits: new Figure("logits", "Logits of all answers", "The network's, and the formula's votes added up.", true),
      votes: new Figure("votes", "How each key votes", "α·Σ cos(2πk(u + v − s)/n) for every answer, and their sum.", true),
      attention: new Figure("heads", "Where the heads look", "The weight of each head on x."),
    };
    this.table = document.createElement("table");
    const box = document.createElement("div");
    box.className = "scroll wide";
    box.append(this.table);
    const figures = Object.values(this.figures).map((figure) => figure.element);
    document.getElementById("figures").append(...figures, box);
    this.controls();
    this.show();
  }

  controls() {
    const { shared, state } = this;
    const bar = document.getElementById("controls");
    const steps = Object.fromEntries(shared.steps.map((step) => [step, step.toLocaleString("en")]));
    const at = options("at", steps, state.at);
    at.addEventListener("change", () => this.choose({ at: Number(at.value) }));
    for (const name of ["x", "y"]) {
      const residue = input("number", { id: name, min: 0, max: shared.p - 1, value: state[name] });
      residue.addEventListener("input", () => {
        const value = Number(residue.value);
        if (residue.value !== "" && value >= 0 && value < shared.p) this.choose({ [name]: Math.round(value) });
      });
      bar.append(labelled(name, residue));
    }
    const chance = () => Math.floor(Math.random() * shared.p);
    const any = button("any", "another pair", "a pair at random", () => {
      this.choose({ x: chance(), y: chance() });
      for (const name of ["x", "y"]) document.getElementById(name).value = this.state[name];
    });
    const orders = { plain: "0, 1, 2 …", coordinates: "their sums" };
    const order = options("sorted", orders, state.sorted);
    order.addEventListener("change", () => this.choose({ sorted: order.value }));
    bar.append(any, labelled("step", at), labelled("answers in order of", order));
  }

  choose(change) {
    Object.assign(this.state, change);
    toAddress(this.state, this.defaults);
    this.show();
  }

  async show() {
    const asked = (this.asked = { ...this.state });
    const said = document.getElementById("said");
    try {
      const answer = await fetch(this.source.address("pair", { step: asked.at, x: asked.x, y: asked.y }));
      if (!answer.ok) throw new Error(await answer.text());
      const found = await answer.json();
      if (this.asked !== asked) return;
      said.textContent = this.sentence(found);
      this.draw(found);
      document.documentElement.dataset.tried = `${found.x} ${found.y}`;
    } catch (error) {
      if (this.asked === asked) said.textContent = error.message;
    }
  }

  sentence({ x, y, label, answer, trained, by_formula }) {
    const right = label === null ? "the operation is undefined here" : `right is ${label}`;
    const formula = by_formula === null ? "there is no formula for this pair" : `the formula answers ${by_formula}`;
    const seen = { true: "; trained on", false: "; never trained on" }[trained] ?? "";
    return `(${x}, ${y}) → ${answer}; ${right}; ${formula}${seen}.`;
  }

  draw(found) {
    const { basis } = this.shared;
    const order = ordered(basis.of_answers, basis.n, { order: this.state.sorted, k: 1 }, "x").order;
    const total = found.votes && found.votes.map(sum);
    const logits = [["network", "series-1", found.logits], ...(total ? [["formula", "series-2 dashed", total]] : [])];
    drawOverAnswers(this.figures.logits, logits, order, found);
    if (found.votes) {
      const kinds = ["series-1", "series-2", "series-3", "series-4"];
      const keys = found.keys.map((k, i) => [
        `k = ${k}`, `${kinds[i % 4]}${i > 3 ? " dashed" : ""}`, found.votes.map((row) => row[i]),
      ]);
      drawOverAnswers(this.figures.votes, [...keys, ["sum", "total", total]], order, found);
    } else this.figures.votes.miss("There are no keys that vote on this pair.");
    if (found.attention.length) drawHeads(this.figures.attention, found.attention);
    else this.figures.attention.miss("This network has no attention.");
    const number = (value) => (value === null || value === undefined ? "–" : value.toFixed(2));
    fillTable(this.table, ["answer", "logit", "votes together", ...found.keys.map((k) => `k = ${k}`)],
      found.largest.map((c) => [
        c === found.label ? `${c} (right)` : c, number(found.logits[c]), number(total?.[c]),
        ...(found.votes?.[c] ?? []).map(number),
      ]));
  }
}

function sum(row) {
  return row.includes(null) ? null : row.reduce((all, value) => all + value, 0);
}

/** Draws numbers of all answers as curves, with rules at the answer and at the right one. */
function drawOverAnswers(figure, curves, order, { answer, label }) {
  const box = { width: 620, height: 250, left: 50, right: 610, top: 26, bottom: 212 };
  const known = curves.flatMap(([, , values]) => values).filter((value) => value !== null);
  const x = scale([0, order.length - 1], [box.left, box.right]);
  const y = scale([Math.min(...known), Math.max(...known)], [box.bottom, box.top]);
  const name = (i) => order[i] ?? "";
  const svg = plot(box, x, y, { x: "answer", y: "" }, { xTicks: ticks(scale([0, order.length - 1], [0, 1]), 8), xLabel: name });
  const places = order.map((_, i) => i);
  for (const [, kind, values] of curves) svg.append(line(places, order.map((c) => values[c]), x, y, kind));
  for (const [c, kind] of [[label, "grokked"], [answer, ""]]) {
    if (c !== null) svg.append(mark("path", { class: `moment ${kind}`, d: `M${x(order.indexOf(c))},${box.top}V${box.bottom}` }));
  }
  svg.append(legend(curves.slice(-8).map(([words, kind]) => [words, kind]), box.right, 8));
  const rows = () => [["answer", ...curves.map(([words]) => words)], ...order.map((c) => [c, ...curves.map(([, , values]) => values[c])])];
  figure.show({ svg, rows, said: `the largest at ${answer}` });
}

function drawHeads(figure, weights) {
  const x = scale([-0.5, weights.length - 0.5], [BOX.left, BOX.right]);
  const y = scale([0, 1], [BOX.bottom, BOX.top]);
  const svg = plot(BOX, x, y, { x: "head", y: "weight on x" }, { xTicks: weights.map((_, h) => h) });
  weights.forEach((weight, h) => {
    svg.append(mark("rect", { x: x(h) - 12, y: y(weight), width: 24, height: Math.max(0, BOX.bottom - y(weight)), class: "bar key" }));
  });
  figure.show({ svg, rows: () => [["head", "weight on x"], ...weights.map((weight, h) => [h, weight])] });
}

(() => {
  const shared = parsed("shared");
  fitInto(window.frameElement);
  if (shared.all_neurons) new TryIt(shared, new ServedSource(parsed("query")));
  else document.getElementById("said").textContent = "There is nothing to try here: no snapshot that is finite, or p is too large.";
})();

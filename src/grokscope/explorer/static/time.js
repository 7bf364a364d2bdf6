// The page: one slider over the snapshots drives every figure; its state stands in the address.

class TimePage {
  constructor(shared, source, palette) {
    this.shared = shared;
    this.source = source;
    this.palette = palette;
    this.first = {}; // the frequency, head, neuron and answer that are shown where none was chosen
    this.state = fromAddress(this.defaults);
    this.playing = null;
    this.figures = this.makeFigures();
    this.controls();
    document.addEventListener("keydown", (event) => this.onKey(event));
  }

  /** The state where the address says nothing. */
  get defaults() {
    const { steps, keys, basis, measures } = this.shared;
    const fitting = measures.find((measure) => measure.basis === basis.name) ?? measures[0];
    return {
      step: steps.at(-1) ?? 0,
      k: keys[0] ?? this.first.k ?? null,
      basis: basis.name,
      order: "plain",
      head: 0,
      neuron: this.first.neuron ?? null,
      answer: this.first.answer ?? null,
      measure: fitting?.key ?? "",
      time: "linear",
    };
  }

  // The figures

  makeFigures() {
    const grid = document.getElementById("figures");
    const add = (...words) => {
      const figure = new Figure(...words);
      grid.append(figure.element);
      return figure;
    };
    const { shared } = this;
    const additive = shared.basis.name === "additive" ? shared.basis.words : "";
    const made = {
      accuracy: add("accuracy", "Accuracy", "Click in a curve to go there.", true),
      loss: add("loss", "Loss", "", true),
      measures: add("measures", "Measures", BASES_CAPTION[shared.basis.name], true),
      E_matched: add("spectrum-W_E-matched", "W_E in the basis that fits", shared.basis.words),
      E_additive: add("spectrum-W_E-additive", "W_E in the additive basis", additive),
      L_matched: add("spectrum-W_L-matched", "W_L in the basis that fits", ""),
      L_additive: add("spectrum-W_L-additive", "W_L in the additive basis", ""),
      circle: add("circle", "The embedding on a circle", ""),
      neurons: add("neurons", "Neurons", ""),
      answers: add("answers", "Answers", ""),
      head: add("attention", "Attention to x", ""),
      neuron: add("neuron", "A neuron", ""),
      logit: add("logit", "A logit", "Without the mean over the answers."),
      norms_logits: add("norms-logits", "Logits in two dimensions", NORMS_CAPTION),
      norms_neurons: add("norms-neurons", "Neurons in two dimensions", NORMS_CAPTION),
      claims: add("claims", "Claims over time", CLAIMS_CAPTION, true),
    };
    const curves = { accuracy: accuracyCurves, loss: lossCurves };
    this.curves = Object.entries(curves).map(
      ([name, find]) => new TimeCurves(made[name], shared, () => find(shared)),
    );
    this.curves.push(new TimeCurves(made.measures, shared, (state) => measureCurves(shared, state.measure)));
    for (const each of this.curves) each.onStep = (step) => this.choose({ step: this.nearest(step) });
    return made;
  }

  /** Shows the snapshot of the state; a later call wins over an earlier one. */
  async show() {
    const { step } = this.state;
    const began = performance.now();
    this.wanted = step;
    try {
      const frame = await this.source.frame(step);
      if (this.wanted !== step) return;
      this.frame = frame;
      this.draw(frame);
      document.documentElement.dataset.drawn = step;
      document.documentElement.dataset.milliseconds = (performance.now() - began).toFixed(1);
    } catch (error) {
      if (this.wanted === step) this.say(`Step ${step} cannot be shown: ${error.message}`);
    }
  }

  draw(frame) {
    const { state, shared, figures } = this;
    this.words(frame);
    for (const each of this.curves) each.show(frame, state);
    this.drawClaims(frame);
    if (frame.broken) {
      for (const name of SNAPSHOT_FIGURES) figures[name].miss(`${frame.broken} is not finite: training diverged.`);
      return;
    }
    this.offer(frame);
    this.drawSpectra(frame);
    this.drawCircle(frame);
    if (frame.arrays.answers) this.drawOverPairs(frame);
    else for (const name of OVER_PAIRS) figures[name].miss(`Left out: p = ${shared.p} is too large.`);
  }

  drawSpectra(frame) {
    const choose = (change) => this.choose(change);
    for (const [matrix, name] of [["W_E", "E"], ["W_L", "L"]]) {
      for (const basis of ["matched", "additive"]) {
        const figure = this.figures[`${name}_${basis}`];
        const shares = frame.spectra[matrix][basis];
        const keys = basis === this.shared.basis.name ? this.shared.keys : [];
        figure.element.hidden = !shares; // where the additive basis fits there is no other
        if (shares) drawSpectrum(figure, shares, this.state, keys, choose);
      }
    }
  }

  get coordinates() {
    const { basis, p } = this.shared;
    if (basis.known && this.state.basis === basis.name) return basis;
    const plain = Array.from({ length: p }, (_, x) => x);
    return { n: p, u: plain, v: plain };
  }

  drawCircle(frame) {
    const points = frame.arrays[`circles ${this.state.basis}`] ?? frame.arrays["circles additive"];
    const { n, u } = this.coordinates;
    const k = Math.min(this.state.k, points.shape[0]);
    const turns = u.map((place) => (place < 0 ? -1 : (k * place) % n));
    drawCircle(this.figures.circle, points, k, turns, n, this.palette);
    this.figures.circle.caption.textContent =
      `Each residue in the plane of k = ${k}; colour: its place ${k === 1 ? "" : `${k}·`}u mod ${n}.`;
  }

  drawOverPairs(frame) {
    const { state, shared, figures, palette } = this;
    const { n, u, v } = this.coordinates;
    const orders = { x: ordered(u, n, state, "x"), y: ordered(v, n, state, "y") };
    drawAnswers(figures.answers, orders, shared, frame.arrays.answers);
    this.drawMap(figures.head, frame, "head", state.head, orders, "An MLP has no attention.");
    this.drawMap(figures.neuron, frame, "neuron", state.neuron, orders);
    this.drawMap(figures.logit, frame, "logit", state.answer, orders);
    for (const what of ["logits", "neurons"]) {
      const norms = frame.arrays[`norms ${what} ${state.basis}`] ?? frame.arrays[`norms ${what} additive`];
      drawNorms(figures[`norms_${what}`], norms, palette);
    }
    const frequencies = Math.floor(shared.basis.n / 2);
    drawNeurons(figures.neurons, frame.points, frequencies, state, (change) => this.choose(change));
  }

  async drawMap(figure, frame, kind, index, orders, missing) {
    let array = frame.arrays[`${kind} ${index}`];
    if (!array && this.source.map && kind !== "head") {
      const file = await this.source.map(frame.step, kind, index).catch((error) => figure.miss(error.message));
      array = file?.arrays[`${kind} ${index}`];
      if (this.frame !== frame || this.state[kind === "logit" ? "answer" : kind] !== index) return;
    }
    if (array) drawShades(figure, orders, this.shared.p, array, this.palette);
    else figure.miss(missing ?? `This page has no map of ${kind} ${index}; the explorer has all.`);
  }

  drawClaims(frame) {
    const { claims } = this.figures;
    if (this.shared.claims) drawClaims(claims, this.shared.claims, frame.step);
    else if (this.source.claims) this.offerClaims();
    else claims.miss("The claims at every snapshot were not computed for this page.");
  }

  /** Puts a button where the claims will be; they take seconds per snapshot. */
  offerClaims() {
    const { claims } = this.figures;
    if (claims.offered) return;
    claims.offered = true;
    claims.miss("Not computed yet: every snapshot is explained, which takes seconds for each. ");
    const button = document.createElement("button");
    button.textContent = "Explain every snapshot";
    button.addEventListener("click", () => this.followClaims(true));
    claims.place.firstChild.append(button);
    this.followClaims(false);
  }

  async followClaims(start) {
    const told = await this.source.claims(start).catch((error) => ({ error: error.message }));
    if (told.claims) this.shared.claims = told.claims;
    if (told.claims && this.frame) this.drawClaims(this.frame);
    else if (told.error) this.figures.claims.miss(told.error);
    else if (told.all) {
      this.figures.claims.miss(`Explaining: ${told.done} of ${told.all} snapshots.`);
      setTimeout(() => this.followClaims(false), 1000);
    }
  }

  // The state

  choose(change) {
    Object.assign(this.state, change);
    toAddress(this.state, this.defaults);
    this.showState();
    return this.show();
  }

  nearest(step) {
    const { steps } = this.shared;
    return steps.reduce((best, each) => (Math.abs(each - step) < Math.abs(best - step) ? each : best), steps[0]);
  }

  move(places) {
    const { steps } = this.shared;
    const at = steps.indexOf(this.nearest(this.state.step)) + places;
    return this.choose({ step: steps[Math.min(Math.max(at, 0), steps.length - 1)] });
  }

  async play() {
    if (this.playing) return this.pause();
    this.playing = {};
    const mine = this.playing;
    this.showState();
    if (this.state.step === this.shared.steps.at(-1)) await this.choose({ step: this.shared.steps[0] });
    while (this.playing === mine && this.state.step !== this.shared.steps.at(-1)) {
      const began = performance.now();
      await this.move(1);
      const rest = 400 - (performance.now() - began);
      await new Promise((done) => setTimeout(done, Math.max(rest, 0)));
    }
    if (this.playing === mine) this.pause();
  }

  pause() {
    this.playing = null;
    this.showState();
  }

  onKey(event) {
    const isControl = event.target.matches?.("input[type=number], select, button, a");
    if (isControl || event.ctrlKey || event.metaKey || event.altKey) return;
    const last = this.shared.steps.length;
    const moves = { ArrowLeft: -1, ArrowRight: 1, Home: -last, End: last, PageUp: -5, PageDown: 5 };
    if (event.key === " ") this.play();
    else if (event.key in moves) this.move(moves[event.key]);
    else return;
    event.preventDefault();
  }
}

const BASES_CAPTION = {
  matched: "Full: the basis that fits; dashed: the additive one.",
  additive: "In the additive basis, which fits the operation or is the only one known.",
};
const CLAIMS_CAPTION =
  "✓ holds, ✗ fails, · not testable, empty: not asked of this snapshot. Any one of three levels suffices to " +
  "explain: by keys, ellipse code, neuron by neuron.";
const NORMS_CAPTION = "Every cell is a wave of x times a wave of y: log10 of its norm / the largest.";
const OVER_PAIRS = ["neurons", "answers", "head", "neuron", "logit", "norms_logits", "norms_neurons"];
const SNAPSHOT_FIGURES = ["E_matched", "E_additive", "L_matched", "L_additive", "circle", ...OVER_PAIRS];

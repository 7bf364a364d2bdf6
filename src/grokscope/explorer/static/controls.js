// The controls of the page: slider, buttons, and what is chosen in the figures.

Object.assign(TimePage.prototype, {
  controls() {
    const { steps, basis, measures, all_neurons, p } = this.shared;
    const bar = document.getElementById("controls");
    this.slider = input("range", { id: "slider", min: 0, max: Math.max(0, steps.length - 1), step: 1 });
    this.slider.setAttribute("aria-label", "snapshot");
    this.slider.addEventListener("input", () => this.choose({ step: steps[this.slider.value] }));
    this.player = button("play", "▶", "play (space)", () => this.play());
    this.where = document.createElement("output");
    this.where.id = "where";
    bar.append(
      button("first", "«", "first snapshot (Home)", () => this.move(-steps.length)),
      button("back", "‹", "one snapshot back (←)", () => this.move(-1)),
      this.player,
      button("forward", "›", "one snapshot forward (→)", () => this.move(1)),
      this.slider,
      this.where,
    );
    const frequencies = Math.floor(basis.n / 2);
    this.key = this.number("k", "k", 1, frequencies, bar);
    const bases = basis.name === "matched" ? { matched: "fitting", additive: "additive" } : { additive: "additive" };
    this.basis = this.select("basis", "basis", bases, bar);
    const orders = { plain: "0, 1, 2 …", coordinates: "u, v", turned: "k·u, k·v" };
    this.order = this.select("order", "x and y in order of", orders, bar);
    this.time = this.select("time", "time", { linear: "linear", log: "logarithmic" }, bar);
    const symbols = Object.fromEntries(measures.map(({ key, symbol }) => [key, symbol]));
    this.measure = this.select("measure", "", symbols, this.figures.measures.controls);
    this.figures.measures.controls.hidden = !measures.length;
    this.inFigures = this.source.map
      ? {
          neuron: this.number("neuron", "neuron", 0, all_neurons - 1, this.figures.neuron.controls),
          answer: this.number("answer", "answer", 0, p - 1, this.figures.logit.controls),
        }
      : {};
  },

  /** Offers the heads, neurons and answers that a snapshot has maps of. */
  offer(frame) {
    const of = (kind) =>
      Object.keys(frame.arrays)
        .filter((name) => name.startsWith(`${kind} `))
        .map((name) => Number(name.split(" ")[1]));
    const shares = frame.spectra.W_E[this.shared.basis.name];
    this.first.k ??= shares.indexOf(Math.max(...shares)) + 1;
    this.state.k ??= this.first.k;
    for (const [state, kind, place] of [
      ["head", "head", this.figures.head],
      ["neuron", "neuron", this.figures.neuron],
      ["answer", "logit", this.figures.logit],
    ]) {
      const known = of(kind);
      if (known.length) this.first[state] ??= known[0];
      if (this.state[state] === null && known.length) this.state[state] = this.first[state];
      if (!this.inFigures[state] && known.length) {
        const names = Object.fromEntries(known.map((index) => [index, `${state} ${index}`]));
        this.inFigures[state] = this.select(state, "", names, place.controls, Number);
      }
    }
    this.showState();
  },

  /** Brings all controls in line with the state. */
  showState() {
    const { steps } = this.shared;
    const { state } = this;
    this.slider.value = steps.indexOf(this.nearest(state.step));
    this.slider.setAttribute("aria-valuetext", `step ${state.step}`);
    this.where.textContent = `step ${state.step.toLocaleString("en")}`;
    this.player.textContent = this.playing ? "❚❚" : "▶";
    this.player.setAttribute("aria-label", this.playing ? "pause (space)" : "play (space)");
    for (const name of ["basis", "order", "time", "measure"]) this[name].value = state[name];
    // a snapshot that arrives while somebody types must not take the digits away
    for (const [name, control] of Object.entries({ k: this.key, ...this.inFigures })) {
      if (!control.typing) control.value = state[name] ?? "";
    }
  },

  words(frame) {
    const sides = Object.entries(frame.accuracy).map(([side, share]) => `${side} ${(100 * share).toFixed(1)}%`);
    this.say(sides.length ? `right: ${sides.join(", ")}` : "");
  },

  say(text) {
    document.getElementById("said").textContent = text;
  },

  select(name, label, names, place, read = String) {
    const made = options(name, names, this.state[name]);
    made.addEventListener("change", () => this.choose({ [name]: read(made.value) }));
    place.append(labelled(label || name, made, !label));
    return made;
  },

  number(name, label, min, max, place) {
    const made = input("number", { id: `choose-${name}`, min, max, step: 1 });
    made.addEventListener("input", () => (made.typing = true));
    made.addEventListener("change", () => {
      made.typing = false;
      const value = Math.round(Number(made.value));
      this.choose({ [name]: Math.min(Math.max(value, min), max) });
    });
    place.append(labelled(label, made));
    return made;
  },
});

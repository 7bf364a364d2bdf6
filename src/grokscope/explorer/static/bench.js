// The bench for ablations: what the network answers after edits, beside what it answers as it is.

const ACTIONS = { nothing: "as it is", keep: "only the keys", remove: "without the keys" };
const PLACES = { W_E: "W_E", neurons: "neurons", logits: "logits" };

class Bench {
  constructor(shared, source, palette) {
    Object.assign(this, { shared, source, palette });
    this.state = fromAddress(this.defaults);
    this.figures = {
      answers: new Figure("edited-answers", "Answers after the edits", ""),
      confusion: new Figure("confusion", "Right answer against answer", "Share of the pairs with this right answer."),
    };
    this.table = document.createElement("table");
    this.controls();
    const grid = document.getElementById("figures");
    const box = document.createElement("div");
    box.className = "scroll wide";
    box.append(this.table);
    grid.append(box, ...Object.values(this.figures).map((figure) => figure.element));
    this.show();
  }

  get defaults() {
    const { shared } = this;
    return {
      at: shared.steps.at(-1) ?? 0, keys: shared.keys.join(" "), W_E: "nothing", neurons: "nothing",
      logits: "nothing", turned: 0, angle: 0, position: "x", silenced: "", cluster: 0, ordered: "plain",
    };
  }

  controls() {
    const { shared, state } = this;
    const bar = document.getElementById("controls");
    const choose = (name, read = String) => (control) => {
      control.addEventListener("change", () => this.choose({ [name]: read(control.value) }));
      return control;
    };
    const steps = Object.fromEntries(shared.steps.map((step) => [step, step.toLocaleString("en")]));
    bar.append(labelled("step", choose("at", Number)(options("at", steps, state.at))));
    for (const [place, words] of Object.entries(PLACES)) {
      bar.append(labelled(words, choose(place)(options(place, ACTIONS, state[place]))));
    }
    const numbers = Object.fromEntries(this.frequencies.map((k) => [k, `k = ${k}`]));
    const turned = options("turned", { 0: "no key", ...numbers }, state.turned);
    bar.append(labelled("turn", choose("turned", Number)(turned)));
    this.angle = input("range", { id: "angle", min: -180, max: 180, step: 5, value: state.angle });
    this.angle.addEventListener("input", () => this.choose({ angle: Number(this.angle.value) }));
    this.degrees = document.createElement("output");
    bar.append(labelled("by", this.angle), this.degrees);
    const positions = { x: "at x", y: "at y", "x and y": "at x and y" };
    bar.append(choose("position")(options("position", positions, state.position)));
    const silenced = input("text", { id: "silenced", placeholder: "7 12 40", value: state.silenced });
    bar.append(labelled("silence neurons", choose("silenced")(silenced)));
    const clusters = options("cluster", { 0: "no others", ...numbers }, state.cluster);
    bar.append(labelled("and all of", choose("cluster", Number)(clusters)));
    const orders = { plain: "0, 1, 2 …", coordinates: "u, v" };
    bar.append(labelled("order", choose("ordered")(options("ordered", orders, state.ordered))));
    bar.append(this.chips(), button("reset", "reset", "undo all edits", () => this.reset()));
  }

  get frequencies() {
    return Array.from({ length: Math.floor(this.shared.basis.n / 2) }, (_, i) => i + 1);
  }

  get keys() {
    return (this.state.keys.match(/\d+/g) ?? []).map(Number).filter((k) => this.frequencies.includes(k));
  }

  /** Makes a button for every frequency, pressed where it is one of the keys. */
  chips() {
    const row = document.createElement("div");
    row.className = "chips";
    row.setAttribute("role", "group");
    row.setAttribute("aria-label", "keys");
    for (const k of this.frequencies) {
      const chip = button(`key-${k}`, k, `k = ${k}`, () => {
        const keys = this.keys.includes(k) ? this.keys.filter((other) => other !== k) : [...this.keys, k];
        this.choose({ keys: keys.join(" ") });
      });
      row.append(chip);
    }
    return row;
  }

  reset() {
    toAddress(this.defaults, this.defaults);
    document.getElementById("controls").replaceChildren();
    this.state = this.defaults;
    this.controls();
    this.show();
  }

  choose(change) {
    Object.assign(this.state, change);
    toAddress(this.state, this.defaults);
    this.show();
  }

  /** Shows what the edits do; while one answer is awaited, only the last wish is kept. */
  async show() {
    for (const k of this.frequencies) {
      document.getElementById(`key-${k}`).setAttribute("aria-pressed", this.keys.includes(k));
    }
    this.degrees.textContent = `${this.state.angle}°`;
    this.again = true;
    if (this.busy) return;
    this.busy = true;
    while (this.again) {
      this.again = false;
      await this.ask();
    }
    this.busy = false;
    document.documentElement.dataset.edited = JSON.stringify(this.state);
  }

  async ask() {
    const { keys: _, ordered: __, ...rest } = this.state;
    try {
      const found = await unpack(await this.source.bytes("edited", { ...rest, keys: this.keys.join(" ") }));
      this.draw(found);
      document.getElementById("said").textContent = found.words;
    } catch (error) {
      document.getElementById("said").textContent = error.message;
    }
  }

  draw({ before, after, arrays }) {
    const { p, basis } = this.shared;
    const state = { order: this.state.ordered, k: 1 };
    const orders = { x: ordered(basis.u, basis.n, state, "x"), y: ordered(basis.v, basis.n, state, "y") };
    drawAnswers(this.figures.answers, orders, this.shared, arrays.answers);
    const answer = ordered(basis.of_answers, basis.n, state, "x").order;
    const names = {
      x: { order: answer, title: "right answer" },
      y: { order: answer, title: "answer" },
    };
    drawShades(this.figures.confusion, names, p, arrays.confusion, this.palette);
    const percent = (share) => (share === undefined ? "–" : `${(100 * share).toFixed(2)}%`);
    const number = (loss) => (loss === undefined ? "–" : loss.toPrecision(3));
    const rows = Object.keys(before.accuracy).map((side) => [
      side, percent(before.accuracy[side]), percent(after.accuracy[side]),
      number(before.loss[side]), number(after.loss[side]),
    ]);
    fillTable(this.table, ["pairs", "right", "right, edited", "loss", "loss, edited"], rows);
  }
}

(() => {
  const shared = parsed("shared");
  fitInto(window.frameElement);
  if (shared.all_neurons) new Bench(shared, new ServedSource(parsed("query")), parsed("palette"));
  else document.getElementById("said").textContent = "There is nothing to edit here: no snapshot that is finite, or p is too large.";
})();

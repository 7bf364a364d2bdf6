// A figure: a title, a drawing that changes, and its files: SVG, PNG and CSV.

class Figure {
  /** Arguments: name of its files; title; caption; whether it takes the whole width. */
  constructor(name, title, caption, wide = false) {
    this.name = name;
    this.title = title;
    this.element = document.createElement("figure");
    this.element.id = name;
    if (wide) this.element.className = "wide";
    const heading = document.createElement("h3");
    heading.textContent = title;
    this.controls = document.createElement("span");
    this.controls.className = "figure-controls";
    this.place = document.createElement("div");
    this.place.className = "plot";
    this.caption = document.createElement("figcaption");
    this.caption.textContent = caption;
    this.element.append(heading, this.controls, this.place, this.caption, this.menu());
  }

  /** Shows a drawing.

  Arguments: `svg`; `rows`, a function that returns its numbers as rows for CSV; `canvas` and `box`
  of a map, which lies under the SVG; `said`, what a screen reader says. */
  show({ svg, rows, canvas, box, said }) {
    this.drawing = { svg, rows, canvas, box };
    svg.setAttribute("aria-label", `${this.title}. ${said ?? ""}`);
    if (canvas) {
      const percent = (part, whole) => `${(100 * part) / whole}%`;
      Object.assign(canvas.style, {
        left: percent(box.left, box.width),
        top: percent(box.top, box.height),
        width: percent(box.right - box.left, box.width),
        height: percent(box.bottom - box.top, box.height),
      });
      this.place.replaceChildren(canvas, svg);
    } else this.place.replaceChildren(svg);
  }

  /** Says why there is nothing to draw. */
  miss(reason) {
    this.drawing = null;
    const words = document.createElement("p");
    words.className = "missing";
    words.textContent = reason;
    this.place.replaceChildren(words);
  }

  menu() {
    const menu = document.createElement("div");
    menu.className = "save";
    for (const kind of ["SVG", "PNG", "CSV"]) {
      const button = document.createElement("button");
      button.textContent = kind;
      button.type = "button";
      button.setAttribute("aria-label", `save ${this.title} as ${kind}`);
      button.addEventListener("click", () => this.save(kind.toLowerCase()));
      menu.append(button);
    }
    return menu;
  }

  async save(kind) {
    if (!this.drawing) return;
    const text = kind === "csv" ? csv(this.drawing.rows()) : this.svgText();
    const type = kind === "csv" ? "text/csv" : "image/svg+xml";
    const file = new Blob([text], { type });
    download(kind === "png" ? await toPng(text, this.drawing.svg) : file, `${this.name}.${kind}`);
  }

  /** Returns the drawing as a file of its own, on a light ground. */
  svgText() {
    const { svg, canvas, box } = this.drawing;
    const whole = svg.cloneNode(true);
    const { width, height } = svg.viewBox.baseVal;
    whole.setAttribute("xmlns", SVG);
    whole.setAttribute("class", "file");
    whole.setAttribute("width", width);
    whole.setAttribute("height", height);
    if (canvas) {
      const href = canvas.toDataURL();
      const place = { x: box.left, y: box.top, width: box.right - box.left, height: box.bottom - box.top };
      const style = "image-rendering: pixelated";
      whole.prepend(mark("image", { href, preserveAspectRatio: "none", style, ...place }));
    }
    const rules = mark("style", {}, document.getElementById("plot-style").textContent);
    whole.prepend(rules, mark("rect", { width, height, style: "fill: var(--ground)" }));
    return new XMLSerializer().serializeToString(whole);
  }
}

function csv(rows) {
  const cell = (value) => (/[",\n]/.test(value) ? `"${String(value).replaceAll('"', '""')}"` : value);
  return rows.map((row) => row.map((value) => cell(value ?? "")).join(",")).join("\n") + "\n";
}

async function toPng(text, svg) {
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(text)}`;
  await image.decode();
  const canvas = document.createElement("canvas");
  canvas.width = 2 * svg.viewBox.baseVal.width;
  canvas.height = 2 * svg.viewBox.baseVal.height;
  canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
  return new Promise((done) => canvas.toBlob(done, "image/png"));
}

function download(file, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(file);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

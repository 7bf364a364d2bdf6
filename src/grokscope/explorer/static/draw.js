// Draws with SVG: scales, axes, and marks. Colours are classes of `plot.css`.

const SVG = "http://www.w3.org/2000/svg";

/** Returns an SVG element with attributes and children; text stays text. */
function mark(name, attributes = {}, ...children) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

/** Leads numbers of a domain to a range of pixels, evenly or by their logarithm. */
function scale([low, high], [from, to], logarithmic = false) {
  const turn = logarithmic ? (v) => Math.log10(Math.max(v, low)) : (v) => v;
  const [a, b] = [turn(low), turn(high)];
  const at = (value) => from + ((turn(value) - a) / (b - a || 1)) * (to - from);
  return Object.assign(at, { low, high, from, to, logarithmic });
}

function ticks({ low, high, logarithmic }, count) {
  if (logarithmic) {
    const powers = [];
    for (let e = Math.ceil(Math.log10(low)); 10 ** e <= high * 1.0001; e++) powers.push(10 ** e);
    const every = Math.ceil(powers.length / count);
    return powers.filter((_, i) => i % every === 0);
  }
  const least = (high - low || 1) / count;
  const ten = 10 ** Math.floor(Math.log10(least));
  const step = [1, 2, 5, 10].map((s) => s * ten).find((s) => s >= least * 0.999);
  const found = [];
  for (let i = Math.ceil(low / step - 1e-9); i * step <= high + step * 1e-9; i++) found.push(i * step);
  return found;
}

/** Returns a number in few characters: 12,000, 0.25 or 1e-4. */
function short(value) {
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size < 0.001 || size >= 1e7) return value.toExponential(0).replace("+", "");
  return size >= 1000 ? Math.round(value).toLocaleString("en") : String(Number(value.toPrecision(3)));
}

const BOX = { width: 300, height: 210, left: 42, right: 294, top: 22, bottom: 172 };
const SQUARE = { width: 300, height: 300, left: 36, right: 258, top: 36, bottom: 258 };

/** Returns an empty plot: an SVG with axes along its left and bottom sides. */
function plot(box, x, y, titles, options = {}) {
  const svg = mark("svg", { viewBox: `0 0 ${box.width} ${box.height}`, role: "img" });
  const axis = mark("g", { class: "axis" });
  for (const value of options.xTicks ?? ticks(x, 5)) {
    const at = x(value);
    axis.append(mark("line", { x1: at, x2: at, y1: box.bottom, y2: box.bottom + 4 }));
    const label = (options.xLabel ?? short)(value);
    axis.append(mark("text", { x: at, y: box.bottom + 16, "text-anchor": "middle" }, label));
  }
  for (const value of options.yTicks ?? ticks(y, 4)) {
    const at = y(value);
    axis.append(mark("line", { class: "grid", x1: box.left, x2: box.right, y1: at, y2: at }));
    const label = (options.yLabel ?? short)(value);
    axis.append(mark("text", { x: box.left - 6, y: at + 4, "text-anchor": "end" }, label));
  }
  axis.append(
    mark("path", { d: `M${box.left},${box.top}V${box.bottom}H${box.right}`, fill: "none" }),
    mark("text", { x: (box.left + box.right) / 2, y: box.bottom + 32, "text-anchor": "middle" }, titles.x),
    mark("text", { x: 4, y: box.top - 8 }, titles.y),
  );
  svg.append(axis);
  return svg;
}

/** Returns a curve; it is broken where a number is missing. */
function line(steps, values, x, y, name) {
  let path = "";
  let pen = "M";
  values.forEach((value, i) => {
    if (value === null || (y.logarithmic && value <= 0)) pen = "M";
    else {
      path += `${pen}${x(steps[i]).toFixed(1)},${y(value).toFixed(1)}`;
      pen = "L";
    }
  });
  return mark("path", { d: path, class: `line ${name}`, fill: "none" });
}

/** Returns names beside short lines, for a row above the plot. */
function legend(entries, right, y) {
  const row = mark("g", { class: "legend" });
  let end = right;
  for (const [name, kind] of [...entries].reverse()) {
    row.append(mark("text", { x: end, y: y + 4, "text-anchor": "end" }, name));
    end -= name.length * 6 + 8;
    row.append(mark("line", { x1: end - 18, x2: end, y1: y, y2: y, class: `line ${kind}` }));
    end -= 28;
  }
  return row;
}

/** Returns the colour at a share from 0 to 1 of evenly spaced stops, as [red, green, blue]. */
function colourAt(stops, share) {
  const at = Math.min(Math.max(share, 0), 1) * (stops.length - 1);
  const i = Math.min(Math.floor(at), stops.length - 2);
  return stops[i].map((c, j) => Math.round(c + (stops[i + 1][j] - c) * (at - i)));
}

/** Fills a canvas with one pixel per cell, x to the right and y upwards.

`colour(x, y)` returns [red, green, blue], or null for nothing. */
function paint(canvas, columns, rows, colour) {
  canvas.width = columns;
  canvas.height = rows;
  const context = canvas.getContext("2d");
  const image = context.createImageData(columns, rows);
  for (let y = 0; y < rows; y++) {
    for (let x = 0; x < columns; x++) {
      const found = colour(x, y);
      if (found) image.data.set([...found, 255], 4 * ((rows - 1 - y) * columns + x));
    }
  }
  context.putImageData(image, 0, 0);
}

/** Returns a colour bar to the right of a square plot, with the numbers at its ends. */
function colourBar(box, stops, low, high) {
  const bar = mark("g", { class: "axis" });
  const height = (box.bottom - box.top) / 32;
  for (let i = 0; i < 32; i++) {
    const fill = `rgb(${colourAt(stops, i / 31)})`;
    const y = box.bottom - (i + 1) * height;
    bar.append(mark("rect", { x: box.right + 8, y, width: 9, height: height + 0.5, fill, stroke: "none" }));
  }
  bar.append(
    mark("text", { x: box.right + 8, y: box.top - 5 }, short(high)),
    mark("text", { x: box.right + 8, y: box.bottom + 13 }, short(low)),
  );
  return bar;
}

// Reads what `packing.py` writes, from the page itself or from the explorer that serves it.

async function inflate(bytes) {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** Returns a file's header, with its arrays by name. */
async function unpack(bytes) {
  const raw = await inflate(bytes);
  const length = new DataView(raw.buffer).getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(raw.subarray(4, 4 + length)));
  const arrays = Object.entries(header.arrays).map(([name, facts]) => [
    name,
    new PackedArray(raw.buffer, 4 + length + facts.at, facts),
  ]);
  return { ...header, arrays: Object.fromEntries(arrays) };
}

const MISSING = 255;
const LEVELS = 254;

/** Numbers with a shape: whole ones, or shades from 0 to 254 between the least and the largest. */
class PackedArray {
  constructor(buffer, at, { type, shape, low = 0, high = 0 }) {
    const size = shape.reduce((product, n) => product * n, 1);
    this.shape = shape;
    this.low = low;
    this.high = high;
    this.whole = type === "whole";
    this.cells = this.whole
      ? new Uint16Array(buffer, at, size)
      : new Uint8Array(buffer, at, size);
  }

  /** The number at a place; null where it is not defined. */
  value(i) {
    const cell = this.cells[i];
    if (this.whole) return cell;
    return cell === MISSING ? null : this.low + ((this.high - this.low) * cell) / LEVELS;
  }

  /** Where a number lies between the least and the largest, 0 to 1; null where undefined. */
  shade(i) {
    return this.cells[i] === MISSING ? null : this.cells[i] / LEVELS;
  }
}

/** Snapshots that are part of the page. */
class EmbeddedSource {
  constructor(frames) {
    this.frames = frames;
    this.known = new Map();
  }

  get steps() {
    return Object.keys(this.frames).map(Number);
  }

  frame(step) {
    if (!this.known.has(step)) {
      const bytes = Uint8Array.from(atob(this.frames[step]), (c) => c.charCodeAt(0));
      this.known.set(step, unpack(bytes));
    }
    return this.known.get(step);
  }
}

/** Snapshots that the explorer computes when they are asked for, and then keeps. */
class ServedSource {
  constructor(query) {
    this.query = query;
    this.known = new Map();
  }

  address(what, values = {}) {
    return `${what}?${new URLSearchParams({ ...this.query, ...values })}`;
  }

  async bytes(what, values) {
    const answer = await fetch(this.address(what, values));
    if (!answer.ok) throw new Error(await answer.text());
    return new Uint8Array(await answer.arrayBuffer());
  }

  frame(step) {
    return this.kept(`frame ${step}`, () => this.bytes("frame", { step }));
  }

  /** One more map of a snapshot: a neuron or an answer that is not in it. */
  map(step, kind, index) {
    return this.kept(`${kind} ${index} ${step}`, () => this.bytes("map", { step, kind, index }));
  }

  kept(name, load) {
    if (!this.known.has(name)) {
      const found = load().then(unpack);
      found.catch(() => this.known.delete(name));
      this.known.set(name, found);
    }
    return this.known.get(name);
  }

  async overview() {
    return (await fetch(this.address("overview"))).json();
  }

  async claims(start) {
    const answer = await fetch(this.address("claims"), { method: start ? "POST" : "GET" });
    if (!answer.ok) throw new Error(await answer.text());
    return answer.json();
  }
}

import { element, setText } from "./dom.js";
import { clock, count, microseconds, percent } from "./format.js";

const labelWidth = 44;
const rowHeight = 28;
const rowGap = 6;
const axisHeight = 20;
const letters = "ABCDEFGH";
const kept = 10; // samples, about a second each
const spans = [1e4, 2e4, 5e4, 1e5, 2e5, 5e5, 1e6, 2e6, 5e6, 10e6]; // microseconds
const runsOn = 0;
const other = "(other)"; // what the server does not know the place of

/** For places of which there are more than letters. */
const otherColour = { light: "#b9c0c7", dark: "#7d8791" };
const colours = ["#7cb5ec", "#f2b447", "#6cc39a", "#e58bb0", "#b39ddb", "#f0906a", "#6fc6cf", "#c9c25a"];

// What each processor ran in the last seconds, on a canvas. It shows the newest, until somebody chooses something in it, or an earlier part: then it is
// held.
//
// An item: { row, kind: "run" | "gap" | "hand-off" | "collection" | "pause", from, to, ... }; times in microseconds on the server's clock.
export class Timeline extends EventTarget {
  #width = 0;
  #box;
  #canvas;
  #detail;
  #legend;
  #range;
  #follow;
  #ends = [];
  #samples = [];
  #rows = []; // of items
  #names = [];
  #slots = new Array(letters.length).fill(null);
  #span = 5e6;
  #end = 0; // of what is shown
  #held = false;
  #chosen = null;

  constructor({ box, detail, legend, range, follow }) {
    super();
    this.#box = box;
    this.#canvas = box.querySelector("canvas");
    this.#detail = detail;
    this.#legend = legend;
    this.#range = range;
    this.#follow = follow;
    box.addEventListener("keydown", (e) => this.#key(e));
    box.addEventListener("pointermove", (e) => e.pointerType === "mouse" && this.#say(this.#find(e)));
    box.addEventListener("pointerleave", () => this.#say(this.#chosen));
    box.addEventListener("click", (e) => this.#choose(this.#find(e)));
    follow.addEventListener("click", () => this.follow());
    this.#canvas.setAttribute("aria-hidden", "true");
    this.#say(null);
    new ResizeObserver(([{ contentRect }]) => {
      this.#width = contentRect.width;
      this.#draw();
    }).observe(box);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.#draw());
  }

  /** Whether something of it is looked at, and so it does not move. */
  get isHeld() {
    return this.#held;
  }

  update(samples, ends) {
    this.#ends = ends;
    if (this.#held) return; // what is looked at stays
    this.#samples = samples.slice(-kept);
    this.#end = this.#samples.at(-1)?.to ?? 0;
    this.#build();
    this.#draw();
    this.#tell();
  }

  follow() {
    this.#held = false;
    this.#chosen = null;
    this.#say(null);
    this.dispatchEvent(new Event("follow"));
  }

  zoom(step) {
    const place = spans.indexOf(this.#span) + step;
    if (place < 0 || place >= spans.length) return;
    const middle = this.#chosen ? (this.#chosen.from + this.#chosen.to) / 2 : this.#end - this.#span / 2;
    this.#span = spans[place];
    if (this.#held) this.#end = middle + this.#span / 2;
    this.#moved();
  }

  move(part) {
    this.#hold();
    this.#end += part * this.#span;
    this.#moved();
  }

  /** What is in view: runs, the longest first, and hand-offs, the last first. */
  get inView() {
    const from = this.#end - this.#span;
    const seen = this.#rows.flat().filter((item) => item.to >= from && item.from <= this.#end);
    return {
      runs: seen.filter((item) => item.kind === "run").sort((a, b) => b.busy - a.busy || a.from - b.from),
      handOffs: this.#rows.flat().filter((item) => item.kind === "hand-off").sort((a, b) => b.from - a.from),
    };
  }

  clockOf(time) {
    return clock(this.#timeOf(time), true);
  }

  nameOf(row) {
    return this.#names[row];
  }

  endOf(run) {
    return this.#ends[run.end] ?? "";
  }

  // ---- From samples to rows of items ----

  #build() {
    const rows = new Map();
    const row = (name) => rows.get(name) ?? rows.set(name, []).get(name);
    const collector = row("GC");
    const handOffs = new Map();
    const busy = new Map();
    for (const sample of this.#samples) {
      for (const { processor, items, gaps, lost } of sample.rows) {
        const all = row(`P${processor}`);
        for (let i = 0; i < items.length; i += 7) {
          const [from, length, site, goroutine, runs, time, end] = items.slice(i, i + 7);
          const name = sample.sites[site];
          busy.set(name, (busy.get(name) ?? 0) + time);
          const last = all.at(-1);
          if (last?.kind === "run" && last.end === runsOn && last.goroutine === goroutine && Math.abs(last.to - from) < 1000) {
            last.to = from + length;
            last.busy += time;
            last.end = end;
          } else all.push({ kind: "run", from, to: from + length, site: name, goroutine, runs, busy: time, end });
        }
        for (let i = 0; i < gaps.length; i += 2) all.push({ kind: "gap", from: gaps[i], to: gaps[i] + gaps[i + 1], lost });
      }
      for (const handOff of sample.handOffs) handOffs.set(handOff.id, handOff);
      for (let i = 0; i < sample.pauses.length; i += 2)
        collector.push({ kind: "pause", from: sample.pauses[i], to: sample.pauses[i] + sample.pauses[i + 1] });
      for (let i = 0; i < sample.collections.length; i += 3)
        collector.push({ kind: "collection", from: sample.collections[i], to: sample.collections[i] + sample.collections[i + 1], generation: sample.collections[i + 2] });
    }
    for (const { time, processor, reason, goroutine, site, length, id } of handOffs.values())
      row(`P${processor}`).push({ kind: "hand-off", from: time, to: time, reason, goroutine, site, length, id, processor });
    this.#names = [...rows.keys()].sort((a, b) => (a === "GC") - (b === "GC") || Number(a.slice(1)) - Number(b.slice(1)));
    this.#rows = this.#names.map((name) => rows.get(name).sort((a, b) => a.from - b.from || a.to - b.to));
    this.#rows.forEach((items, place) => items.forEach((item) => (item.row = place)));
    this.#assign(busy);
  }

  // A place keeps its letter for as long as it is among those where most of the time goes.
  #assign(busy) {
    const top = [...busy].filter(([name]) => name !== other).sort((a, b) => b[1] - a[1]).slice(0, letters.length).map(([name]) => name);
    this.#slots = this.#slots.map((name) => (top.includes(name) ? name : null));
    for (const name of top) if (!this.#slots.includes(name)) this.#slots[this.#slots.indexOf(null)] = name;
    const all = this.#samples.reduce((sum, s) => sum + s.to - s.from, 0);
    const items = this.#slots.flatMap((name, i) => {
      if (!name) return [];
      const swatch = element("span", { className: "swatch" }, letters[i]);
      swatch.style.background = colours[i];
      return [element("li", {}, swatch, `${name} `, element("b", {}, percent((busy.get(name) ?? 0) / Math.max(1, all))))];
    });
    this.#legend.replaceChildren(...(items.length ? items : [element("li", { className: "muted" }, "Nothing has run yet.")]));
  }

  #timeOf(time) {
    const last = this.#samples.at(-1);
    return last ? last.time + (time - last.to) / 1000 : 0;
  }

  // ---- Drawing ----

  #x(time, width) {
    return labelWidth + ((time - this.#end + this.#span) / this.#span) * (width - labelWidth);
  }

  #y(row) {
    return row * (rowHeight + rowGap);
  }

  #draw() {
    const width = this.#width;
    const height = this.#y(Math.max(1, this.#rows.length)) + axisHeight;
    if (width === 0) return;
    const ratio = devicePixelRatio || 1;
    this.#canvas.width = Math.round(width * ratio);
    this.#canvas.height = Math.round(height * ratio);
    this.#canvas.style.height = `${height}px`;
    const style = getComputedStyle(this.#box);
    const theme = (name) => style.getPropertyValue(name).trim();
    const c = this.#canvas.getContext("2d");
    c.scale(ratio, ratio);
    c.font = `11px ${style.fontFamily}`;
    c.textBaseline = "middle";
    this.#drawAxis(c, width, height, theme);
    c.save();
    c.beginPath();
    c.rect(labelWidth, 0, width - labelWidth, height);
    c.clip();
    const isDark = matchMedia("(prefers-color-scheme: dark)").matches;
    const from = this.#end - this.#span;
    for (const items of this.#rows) {
      for (const item of items) if (item.to >= from && item.from <= this.#end) this.#drawItem(c, item, width, theme, isDark);
    }
    if (this.#chosen) this.#frame(c, this.#chosen, width, theme);
    c.restore();
    this.#range.textContent = this.#samples.length
      ? `${microseconds(this.#span)} up to ${this.clockOf(this.#end)}${this.#held ? ", held" : ""}`
      : "";
    this.#follow.hidden = !this.#held;
  }

  #drawAxis(c, width, height, theme) {
    c.fillStyle = theme("--muted");
    c.strokeStyle = theme("--grid");
    this.#names.forEach((name, row) => {
      c.textAlign = "left";
      c.fillText(name, 0, this.#y(row) + rowHeight / 2);
      c.fillStyle = theme("--ground");
      c.fillRect(labelWidth, this.#y(row), width - labelWidth, rowHeight);
      c.fillStyle = theme("--muted");
    });
    const ticks = width < 500 ? 2 : 5;
    for (let i = 0; i <= ticks; i++) {
      const time = this.#end - this.#span + (this.#span * i) / ticks;
      const x = this.#x(time, width);
      c.beginPath();
      c.moveTo(x, 0);
      c.lineTo(x, height - axisHeight + 4);
      c.stroke();
      c.textAlign = i === 0 ? "left" : i === ticks ? "right" : "center";
      const ago = this.#end - time;
      c.fillText(ago === 0 ? this.clockOf(this.#end) : `−${microseconds(ago)}`, x, height - axisHeight / 2 + 2);
    }
  }

  #drawItem(c, item, width, theme, isDark) {
    const x = this.#x(item.from, width);
    const w = Math.max(1, this.#x(item.to, width) - x);
    const y = this.#y(item.row);
    switch (item.kind) {
      case "run": {
        const slot = this.#slots.indexOf(item.site);
        const part = item.runs === 1 ? 1 : Math.max(0.08, item.busy / Math.max(1, item.to - item.from));
        const h = Math.min(1, part) * rowHeight;
        c.fillStyle = slot < 0 ? (isDark ? otherColour.dark : otherColour.light) : colours[slot];
        c.fillRect(x, y + rowHeight - h, w, h);
        if (w > 14 && h > 12) {
          c.fillStyle = "#14181c";
          c.textAlign = "left";
          const letter = slot < 0 ? "" : letters[slot];
          const name = `${letter} ${item.site}`;
          c.fillText(c.measureText(name).width < w - 6 ? name : letter, x + 3, y + rowHeight - Math.min(h, rowHeight) / 2);
        }
        break;
      }
      case "gap":
        c.strokeStyle = theme("--muted");
        hatch(c, x, y, w, rowHeight);
        break;
      case "hand-off":
        c.fillStyle = theme("--alarm");
        c.beginPath();
        c.moveTo(x - 5, y - 1);
        c.lineTo(x + 5, y - 1);
        c.lineTo(x, y + 9);
        c.fill();
        c.fillRect(x - 0.75, y, 1.5, rowHeight);
        break;
      case "pause":
        c.fillStyle = theme("--pause");
        c.globalAlpha = 0.25;
        c.fillRect(x, 0, Math.max(1, w), this.#y(item.row));
        c.globalAlpha = 1;
        c.fillRect(x, y + 2, Math.max(2, w), rowHeight - 4);
        break;
      case "collection":
        c.strokeStyle = theme("--pause");
        c.strokeRect(x + 0.5, y + 4.5, Math.max(1, w - 1), rowHeight - 9);
        break;
    }
  }

  #frame(c, item, width, theme) {
    const x = this.#x(item.from, width);
    c.strokeStyle = theme("--text");
    c.lineWidth = 2;
    const w = this.#x(item.to, width) - x;
    const margin = w < 12 ? (14 - w) / 2 : 2; // what is narrow is not hidden by its frame
    c.strokeRect(x - margin, this.#y(item.row) + 1, w + 2 * margin, rowHeight - 2);
    c.lineWidth = 1;
  }

  // ---- Choosing ----

  #hold() {
    this.#held = true;
  }

  #moved() {
    this.#draw();
    this.#tell();
  }

  #tell() {
    this.dispatchEvent(new Event("change"));
  }

  #choose(item) {
    if (!item) return;
    this.#hold();
    this.#chosen = item;
    if (item.to < this.#end - this.#span || item.from > this.#end) {
      this.#end = Math.min(Math.max(item.to, item.from + this.#span / 2), this.#samples.at(-1).to);
    }
    this.#say(item);
    this.#moved();
  }

  #find(event) {
    const box = this.#box.getBoundingClientRect();
    const row = Math.floor((event.clientY - box.top) / (rowHeight + rowGap));
    const perPixel = this.#span / (box.width - labelWidth);
    const time = this.#end - this.#span + (event.clientX - box.left - labelWidth) * perPixel;
    let best = null;
    let distance = 6 * perPixel;
    for (const item of this.#rows[row] ?? []) {
      const away = item.from > time ? item.from - time : item.to < time ? time - item.to : 0;
      // A hand-off has no width: it wins when it is near.
      if (away < distance || (item.kind === "hand-off" && away < 6 * perPixel)) [best, distance] = [item, away];
    }
    return best;
  }

  #key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const row = this.#rows[this.#chosen?.row ?? this.#rows.findIndex((items) => items.length > 0)] ?? [];
    const place = this.#chosen ? row.indexOf(this.#chosen) : row.length;
    switch (event.key) {
      case "ArrowLeft": this.#choose(row[Math.max(0, place - 1)]); break;
      case "ArrowRight": this.#choose(row[Math.min(row.length - 1, place + 1)]); break;
      case "PageUp": this.#choose(row[Math.max(0, place - 10)]); break;
      case "PageDown": this.#choose(row[Math.min(row.length - 1, place + 10)]); break;
      case "Home": this.#choose(row[0]); break;
      case "End": this.#choose(row.at(-1)); break;
      case "ArrowUp": this.#chooseRow(-1); break;
      case "ArrowDown": this.#chooseRow(1); break;
      case "+": case "=": this.zoom(-1); break;
      case "-": this.zoom(1); break;
      case "Escape": this.follow(); break;
      default: return;
    }
    event.preventDefault();
  }

  // To what is nearest in time in the next row that has something.
  #chooseRow(step) {
    const time = this.#chosen?.from ?? this.#end;
    const first = this.#chosen?.row ?? (step > 0 ? -1 : this.#rows.length);
    for (let row = first + step; row >= 0 && row < this.#rows.length; row += step) {
      const items = this.#rows[row];
      if (items.length === 0) continue;
      this.#choose(items.reduce((best, item) => (Math.abs(item.from - time) < Math.abs(best.from - time) ? item : best)));
      return;
    }
  }

  #say(item) {
    setText(this.#detail, item ? this.#describe(item) : "Nothing is chosen.");
  }

  #describe(item) {
    const where = `${this.#names[item.row]}, ${this.clockOf(item.from)}`;
    const length = microseconds(item.to - item.from);
    switch (item.kind) {
      case "run":
        return item.runs === 1
          ? `${where}: goroutine ${item.goroutine} of ${item.site} ran ${length}; then: ${this.#ends[item.end]}.`
          : `${where}: ${count(item.runs)} runs in ${length}, busy ${percent(item.busy / Math.max(1, item.to - item.from))}, most of it of ${item.site}.`;
      case "gap":
        return `${where}: ${length} not recorded, because more happened than could be kept.`;
      case "hand-off":
        return `${where}: handed off, ${item.reason}${item.goroutine ? `: goroutine ${item.goroutine} of ${item.site}` : ""}, which went on without a processor for ${
          item.length == null ? "longer than this" : microseconds(item.length)}.`;
      case "pause":
        return `${where}: all threads stopped for the garbage collector for ${length}.`;
      default:
        return `${where}: garbage collection of generation ${item.generation}, ${length}.`;
    }
  }
}

function hatch(c, x, y, w, h) {
  c.save();
  c.beginPath();
  c.rect(x, y, w, h);
  c.clip();
  c.beginPath();
  for (let i = -h; i < w; i += 6) {
    c.moveTo(x + i, y + h);
    c.lineTo(x + i + h, y);
  }
  c.stroke();
  c.restore();
}

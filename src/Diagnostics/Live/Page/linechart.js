import { element, setText, svg } from "./dom.js";
import { clock } from "./format.js";
import { niceMax } from "./scale.js";

const left = 52;
const right = 6;
const top = 8;
const bottom = 20;
const span = 120_000; // milliseconds
const gap = 3500; // with nothing for longer than that, the line is broken
const tableRows = 12;

let charts = 0;

// Lines over the last two minutes. By keyboard it is a slider over time, whose value is what the lines have there; the same is read out below it, and
// the last of it is in a table.
//
// options: { title, format: number => string, series: [{ name, value: sample => number or null }], max: of the axis, binary: its numbers are bytes }
export class LineChart {
  #options;
  #samples = [];
  #end = 0;
  #at = -1; // index of the chosen sample; -1 for the last
  #width = 0;
  #height = 0;
  #plot;
  #svg;
  #time;
  #values;
  #body;
  #details;

  constructor(figure, options) {
    this.#options = options;
    this.#time = element("span", { className: "time" });
    const id = `chart-title-${++charts}`;
    this.#svg = svg("svg", { "aria-hidden": "true" });
    this.#plot = element("div", { className: "plot", tabIndex: 0, role: "slider" }, this.#svg);
    this.#plot.setAttribute("aria-labelledby", id);
    this.#values = options.series.map(() => element("b"));
    const legend = options.series.map((series, i) => element("li", {}, LineChart.#swatch(i), `${series.name} `, this.#values[i]));
    this.#body = element("tbody");
    const heads = ["time", ...options.series.map((series) => series.name)].map((name) => element("th", { scope: "col" }, name));
    this.#details = element("details", {}, element("summary", {}, "As a table"),
      element("table", {}, element("thead", {}, element("tr", {}, ...heads)), this.#body));
    figure.replaceChildren(element("figcaption", {}, element("span", { id }, options.title), this.#time), this.#plot,
      element("ul", { className: "legend" }, ...legend), this.#details);
    this.#plot.addEventListener("keydown", (e) => this.#key(e));
    this.#plot.addEventListener("blur", () => this.#choose(-1));
    this.#plot.addEventListener("pointermove", (e) => this.#point(e));
    this.#plot.addEventListener("pointerleave", () => this.#choose(-1));
    this.#details.addEventListener("toggle", () => this.#fillTable());
    // Asked for once: to ask in each drawing would lay the page out anew for each chart.
    new ResizeObserver(([{ contentRect }]) => {
      [this.#width, this.#height] = [contentRect.width, contentRect.height];
      this.#draw();
    }).observe(this.#plot);
  }

  static #swatch(index) {
    return svg("svg", { viewBox: "0 0 24 12", "aria-hidden": "true" }, svg("path", { class: `line s${index}`, d: "M0 6H24" }));
  }

  update(samples) {
    const chosen = this.#samples[this.#at];
    this.#samples = samples;
    this.#end = samples.at(-1)?.time ?? 0;
    this.#at = chosen ? samples.indexOf(chosen) : -1;
    this.#draw();
    this.#fillTable();
  }

  #x(time, width) {
    return left + ((time - this.#end + span) / span) * (width - left - right);
  }

  #draw() {
    const width = this.#width;
    const height = this.#height;
    if (width === 0) return;
    const { series, format, binary } = this.#options;
    let most = 0;
    for (const sample of this.#samples) for (const s of series) most = Math.max(most, s.value(sample) ?? 0);
    const max = this.#options.max ?? niceMax(most, binary);
    const y = (value) => top + (1 - value / max) * (height - top - bottom);
    const nodes = [];
    for (const part of [0, 0.5, 1]) {
      nodes.push(svg("path", { class: part === 0 ? "axis" : "grid", d: `M${left} ${y(max * part)}H${width - right}` }));
      nodes.push(svg("text", { x: left - 6, y: y(max * part) + 4, "text-anchor": "end" }, format(max * part)));
    }
    for (const [ago, anchor] of [[120, "start"], [60, "middle"], [0, "end"]])
      nodes.push(svg("text", { x: this.#x(this.#end - ago * 1000, width), y: height - 4, "text-anchor": anchor }, ago ? `−${ago} s` : "now"));
    series.forEach((s, i) => nodes.push(svg("path", { class: `line s${i}`, d: this.#path(s, y, width) })));
    const sample = this.#samples[this.#at];
    if (sample) {
      const x = this.#x(sample.time, width);
      nodes.push(svg("path", { class: "cursor", d: `M${x} ${top}V${height - bottom}` }));
    }
    this.#svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    this.#svg.replaceChildren(...nodes);
    this.#read();
  }

  #path(series, y, width) {
    let d = "";
    let before = 0;
    for (const sample of this.#samples) {
      const value = series.value(sample);
      if (value == null || sample.time < this.#end - span) continue;
      d += `${d && sample.time - before < gap ? "L" : "M"}${this.#x(sample.time, width).toFixed(1)} ${y(value).toFixed(1)}`;
      before = sample.time;
    }
    return d;
  }

  // ---- Reading ----

  #read() {
    const { series, format } = this.#options;
    const sample = this.#samples[this.#at] ?? this.#samples.at(-1);
    setText(this.#time, this.#samples[this.#at] ? clock(sample.time) : "");
    series.forEach((s, i) => setText(this.#values[i], sample ? format(s.value(sample)) : ""));
    const text = sample ? `${this.#at < 0 ? "now" : clock(sample.time)}: ${series.map((s) => `${s.name} ${format(s.value(sample))}`).join(", ")}` : "no figures yet";
    this.#plot.setAttribute("aria-valuemin", "0");
    this.#plot.setAttribute("aria-valuemax", String(Math.max(0, this.#samples.length - 1)));
    this.#plot.setAttribute("aria-valuenow", String(Math.max(0, this.#at < 0 ? this.#samples.length - 1 : this.#at)));
    this.#plot.setAttribute("aria-valuetext", text);
  }

  #choose(index) {
    if (index === this.#at) return;
    this.#at = index;
    this.#draw();
  }

  #key(event) {
    const last = this.#samples.length - 1;
    const now = this.#at < 0 ? last : this.#at;
    const step = { ArrowLeft: now - 1, ArrowDown: now - 1, ArrowRight: now + 1, ArrowUp: now + 1, PageUp: now + 10, PageDown: now - 10, Home: 0, End: last, Escape: -1 }[event.key];
    if (step === undefined || last < 0) return;
    event.preventDefault();
    this.#choose(event.key === "Escape" || step >= last ? -1 : Math.max(0, step));
  }

  #point(event) {
    const box = this.#plot.getBoundingClientRect();
    const time = this.#end - span + ((event.clientX - box.left - left) / (box.width - left - right)) * span;
    let best = -1;
    this.#samples.forEach((sample, i) => {
      if (best < 0 || Math.abs(sample.time - time) < Math.abs(this.#samples[best].time - time)) best = i;
    });
    this.#choose(best);
  }

  #fillTable() {
    if (!this.#details.open) return;
    const { series, format } = this.#options;
    const rows = this.#samples.slice(-tableRows).reverse().map((sample) =>
      element("tr", {}, element("td", {}, clock(sample.time)), ...series.map((s) => element("td", {}, format(s.value(sample))))));
    this.#body.replaceChildren(...rows);
  }
}

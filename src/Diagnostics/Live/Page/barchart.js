import { element, setText, svg } from "./dom.js";
import { niceMax } from "./scale.js";

const left = 52;
const right = 6;
const top = 8;
const bottom = 20;

let charts = 0;

// A histogram. By keyboard it is a slider over its bars, and all of it is in a table.
//
// options: { title, unit: what is counted, format: count => string }
// update([{ name, value, tick: on the axis, or undefined }], [{ at: place among the bars, as a fraction, name }])
export class BarChart {
  #options;
  #bars = [];
  #marks = [];
  #at = -1;
  #width = 0;
  #height = 0;
  #plot;
  #svg;
  #readout;
  #body;
  #details;

  constructor(figure, options) {
    this.#options = options;
    const id = `bars-title-${++charts}`;
    this.#svg = svg("svg", { "aria-hidden": "true" });
    this.#plot = element("div", { className: "plot", tabIndex: 0, role: "slider" }, this.#svg);
    this.#plot.setAttribute("aria-labelledby", id);
    this.#readout = element("p", { className: "muted small" });
    this.#body = element("tbody");
    this.#details = element("details", {}, element("summary", {}, "As a table"),
      element("table", {}, element("thead", {}, element("tr", {}, element("th", { scope: "col", className: "text" }, options.per), element("th", { scope: "col" }, options.unit))),
        this.#body));
    figure.replaceChildren(element("figcaption", {}, element("span", { id }, options.title)), this.#plot, this.#readout, this.#details);
    this.#plot.addEventListener("keydown", (e) => this.#key(e));
    this.#plot.addEventListener("blur", () => this.#choose(-1));
    this.#plot.addEventListener("pointermove", (e) => {
      const box = this.#plot.getBoundingClientRect();
      const place = Math.floor(((e.clientX - box.left - left) / (box.width - left - right)) * this.#bars.length);
      this.#choose(place >= 0 && place < this.#bars.length ? place : -1);
    });
    this.#plot.addEventListener("pointerleave", () => this.#choose(-1));
    this.#details.addEventListener("toggle", () => this.#fillTable());
    // Asked for once: to ask in each drawing would lay the page out anew for each chart.
    new ResizeObserver(([{ contentRect }]) => {
      [this.#width, this.#height] = [contentRect.width, contentRect.height];
      this.#draw();
    }).observe(this.#plot);
  }

  update(bars, marks = []) {
    if (bars.length !== this.#bars.length) this.#at = -1;
    this.#bars = bars;
    this.#marks = marks;
    this.#draw();
    this.#fillTable();
  }

  #draw() {
    const width = this.#width;
    const height = this.#height;
    if (width === 0) return;
    const max = niceMax(Math.max(0, ...this.#bars.map((bar) => bar.value)));
    const y = (value) => top + (1 - value / max) * (height - top - bottom);
    const step = (width - left - right) / Math.max(1, this.#bars.length);
    const nodes = [];
    for (const part of [0, 0.5, 1]) {
      nodes.push(svg("path", { class: part === 0 ? "axis" : "grid", d: `M${left} ${y(max * part)}H${width - right}` }));
      nodes.push(svg("text", { x: left - 6, y: y(max * part) + 4, "text-anchor": "end" }, this.#options.format(max * part)));
    }
    this.#bars.forEach((bar, i) => {
      const x = left + i * step;
      if (bar.value > 0 || i === this.#at) {
        const from = Math.min(y(bar.value), y(0) - 1);
        nodes.push(svg("rect", { class: i === this.#at ? "bar chosen" : "bar", x: x + 0.5, y: from, width: Math.max(1, step - 1), height: y(0) - from }));
      }
      if (bar.tick) nodes.push(svg("text", { x: x + step / 2, y: height - 4, "text-anchor": "middle" }, bar.tick));
    });
    for (const mark of this.#marks) {
      const x = left + mark.at * step;
      nodes.push(svg("path", { class: "mark", d: `M${x} ${top}V${height - bottom}` }));
      nodes.push(svg("text", { x: x + (x > width - 60 ? -3 : 3), y: top + 8, "text-anchor": x > width - 60 ? "end" : "start" }, mark.name));
    }
    this.#svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    this.#svg.replaceChildren(...nodes);
    this.#read();
  }

  #read() {
    const bar = this.#bars[this.#at];
    const all = this.#bars.reduce((sum, b) => sum + b.value, 0);
    const text = bar
      ? `${bar.name}: ${this.#options.format(bar.value)} ${this.#options.unit}`
      : `${this.#options.format(all)} ${this.#options.unit}${this.#options.over ? ` ${this.#options.over}` : ""}`;
    setText(this.#readout, text);
    this.#plot.setAttribute("aria-valuemin", "0");
    this.#plot.setAttribute("aria-valuemax", String(Math.max(0, this.#bars.length - 1)));
    this.#plot.setAttribute("aria-valuenow", String(Math.max(0, this.#at)));
    this.#plot.setAttribute("aria-valuetext", text);
  }

  #choose(index) {
    if (index === this.#at) return;
    this.#at = index;
    this.#draw();
  }

  #key(event) {
    const last = this.#bars.length - 1;
    const step = { ArrowLeft: this.#at - 1, ArrowDown: this.#at - 1, ArrowRight: this.#at + 1, ArrowUp: this.#at + 1, Home: 0, End: last, Escape: -1 }[event.key];
    if (step === undefined || last < 0) return;
    event.preventDefault();
    this.#choose(event.key === "Escape" ? -1 : Math.max(0, Math.min(last, step)));
  }

  #fillTable() {
    if (!this.#details.open) return;
    this.#body.replaceChildren(...this.#bars.filter((bar) => bar.value > 0).map((bar) =>
      element("tr", {}, element("td", { className: "text" }, bar.name), element("td", {}, this.#options.format(bar.value)))));
  }
}

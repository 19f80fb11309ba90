// The live page: what it shows of each sample, and its controls.

import { BarChart } from "./barchart.js";
import { byId, element, setText, svg } from "./dom.js";
import { Feed } from "./feed.js";
import { bytes, clock, compact, count, exact, microseconds, percent, rate, seconds, signed } from "./format.js";
import { LineChart } from "./linechart.js";
import { meter, Table } from "./table.js";
import { Timeline } from "./timeline.js";

const feed = new Feed("netgo/data");

const sum = (numbers) => numbers.reduce((all, n) => all + n, 0);
const mean = (numbers) => (numbers.length ? sum(numbers) / numbers.length : null);
const last = () => feed.samples.at(-1);
const queued = (s) => s.globalQueue + sum(s.processors.map((p) => p.queue));

/** The samples of the last so many seconds. */
const recent = (span) => feed.samples.filter((s) => s.time > (last()?.time ?? 0) - span * 1000);

/** What a count that only grows has grown by since the sample before, per second. */
function growth(sample, value) {
  const place = feed.samples.indexOf(sample);
  const before = feed.samples[place - 1];
  return before && before.number === sample.number - 1 ? (value(sample) - value(before)) / sample.span : null;
}

// ---- The key figures ----

const figures = [
  ["Requests", (s) => rate(s.requests?.rate), (s) => (s.requests?.active == null ? "" : `${count(s.requests.active)} under way`)],
  ["Latency p99", (s) => seconds(s.requests?.p99), (s) => (s.requests?.p50 == null ? "" : `p50 ${seconds(s.requests.p50)}`)],
  ["Connections", (s) => (s.requests?.countsChanges ? signed : count)(s.requests?.connections), (s) => (s.requests?.countsChanges ? "since it was opened" : "")],
  ["Goroutines", (s) => count(s.goroutines), (s) => `${count(queued(s))} runnable`],
  ["Processors", (s) => percent(mean(s.processors.map((p) => p.busy))), (s) => `of ${s.processors.length} busy`],
  ["Hand-offs", (s) => rate(growth(s, (t) => sum(Object.values(t.handOffs)))), (s) => `${exact(sum(Object.values(s.handOffs)))} in all`],
  ["Machines", (s) => count(s.machines), (s) => `${s.idleMachines} idle, ${s.spinningMachines} spinning`],
  ["CPU", (s) => percent(s.process.cores), () => `of ${feed.about.cores * 100} %`],
  ["Memory", (s) => bytes(s.process.memory), (s) => `heap ${bytes(s.process.heap)}`],
  ["GC pauses", (s) => `${seconds(s.process.paused / 1000)}`, (s) => `${bytes(s.process.allocated)}/s allocated`],
].map(([name, value, more]) => {
  const figure = { value, more, number: document.createTextNode(""), small: element("small") };
  byId("figures").append(element("div", {}, element("dt", {}, name), element("dd", {}, figure.number, figure.small)));
  return figure;
});

function showFigures(sample) {
  for (const { value, more, number, small } of figures) {
    setText(number, sample ? value(sample) : "–");
    setText(small, sample ? more(sample) : "");
  }
}

// ---- Charts ----

function lines(id, title, format, series, more = {}) {
  const chart = new LineChart(byId(id), { title, format, series: series.map(([name, value]) => ({ name, value })), ...more });
  return () => chart.update(feed.samples);
}

const processorLines = 4;

function busyOf(place) {
  return (s) => s.processors[place]?.busy ?? null;
}

let busyChart = null;
let busyCount = 0;

// A line for each processor while these can be told apart, else what is between them.
function showBusy() {
  const processors = last()?.processors.length ?? 0;
  if (processors !== busyCount) {
    busyCount = processors;
    const busy = (s) => s.processors.map((p) => p.busy);
    const series = processors <= processorLines
      ? Array.from({ length: processors }, (_, i) => [`P${i}`, busyOf(i)])
      : [["mean", (s) => mean(busy(s))], ["most", (s) => Math.max(...busy(s))], ["least", (s) => Math.min(...busy(s))]];
    busyChart = lines("chart-busy", "Busy processors", percent, series, { max: 1 });
  }
  busyChart?.();
}

const charts = [
  showBusy,
  lines("chart-queues", "Runnable goroutines", compact, [
    ["on all queues", queued], ["on the longest", (s) => Math.max(0, ...s.processors.map((p) => p.queue))], ["on the global one", (s) => s.globalQueue]]),
  lines("chart-machines", "Machines", compact, [["all", (s) => s.machines], ["idle", (s) => s.idleMachines], ["spinning", (s) => s.spinningMachines]]),
  lines("chart-handoffs", "Hand-offs and steals", rate, [
    ["blocked", (s) => growth(s, (t) => t.handOffs.blocked)], ["syscall", (s) => growth(s, (t) => t.handOffs.syscall)],
    ["time slice", (s) => growth(s, (t) => t.handOffs.timeSlice)], ["steals", (s) => sum(s.processors.map((p) => p.steals))]]),
  lines("chart-rate", "Requests", rate, [["ended", (s) => s.requests?.rate ?? null]]),
  lines("chart-latency", "Latency", seconds, [["p50", (s) => s.requests?.p50 ?? null], ["p99", (s) => s.requests?.p99 ?? null]]),
  lines("chart-connections", "Connections, active requests", compact, [
    ["connections", (s) => s.requests?.connections ?? null], ["requests", (s) => s.requests?.active ?? null]]),
  lines("chart-goroutines", "Goroutines", compact, [["all", (s) => s.goroutines]]),
  lines("chart-polls", "Polls", rate, [
    ["polls", (s) => sum(s.processors.map((p) => p.polls))], ["made ready", (s) => sum(s.processors.map((p) => p.ready))],
    ["timers", (s) => sum(s.processors.map((p) => p.fired))]]),
  lines("chart-memory", "Memory", bytes, [["resident", (s) => s.process.memory], ["heap", (s) => s.process.heap]], { binary: true }),
  lines("chart-pauses", "GC pauses, per second", seconds, [["stopped", (s) => s.process.paused / 1000 / s.span]]),
  lines("chart-buffers", "Buffer memory", bytes, [["committed", (s) => s.buffers.committed], ["in use", inUse]], { binary: true }),
];

function inUse(s) {
  return sum(s.buffers.classes.map((c) => c.inUse * c.size)) + s.buffers.large;
}

// ---- Histograms ----

const window = 30; // seconds of what histograms and changes show
const latencyChart = new BarChart(byId("chart-histogram"), {
  title: `Latency, last ${window} s`, unit: "requests", per: "took at most", format: compact });
const batchChart = new BarChart(byId("chart-batches"), {
  title: `What a poll made ready, last ${window} s`, unit: "polls", per: "goroutines", format: compact });

const endOf = (bucket) => 1e-6 * 2 ** ((bucket + 1) / 4); // as the server has them

function showLatencies() {
  const counts = new Map();
  for (const { requests } of recent(window)) {
    for (let i = 0; i < (requests?.histogram.length ?? 0); i += 2)
      counts.set(requests.histogram[i], (counts.get(requests.histogram[i]) ?? 0) + requests.histogram[i + 1]);
  }
  if (counts.size === 0) return latencyChart.update([]);
  const first = Math.max(0, Math.min(...counts.keys()) - 1);
  const end = Math.max(...counts.keys()) + 2;
  const ticks = Math.max(6, Math.ceil((end - first) / 3));
  const bars = [];
  for (let bucket = first; bucket < end; bucket++) {
    const isTick = (bucket - first) % ticks === Math.floor(ticks / 2);
    bars.push({ name: `up to ${seconds(endOf(bucket))}`, value: counts.get(bucket) ?? 0, tick: isTick ? seconds(endOf(bucket)) : undefined });
  }
  const all = sum([...counts.values()]);
  const quantile = (part) => {
    let below = 0;
    for (let bucket = first; bucket < end; bucket++) {
      below += counts.get(bucket) ?? 0;
      if (below >= all * part) return bucket - first + 1;
    }
    return bars.length;
  };
  latencyChart.update(bars, [{ at: quantile(0.5), name: "p50" }, { at: quantile(0.99), name: "p99" }]);
}

function showBatches() {
  const samples = recent(window);
  const length = Math.max(0, ...samples.map((s) => s.batches.length));
  const names = Array.from({ length }, (_, i) => {
    const from = i === 0 ? 0 : 2 ** (i - 1);
    const to = 2 ** i - 1;
    return i < 2 ? String(i) : i === length - 1 ? `${from}+` : `${from}–${to}`;
  });
  batchChart.update(names.map((name, i) => ({ name, value: sum(samples.map((s) => s.batches[i] ?? 0)), tick: name })));
}

// ---- Tables ----

const processorTable = new Table(byId("processors"), [
  { title: "P", header: true, kind: "text", text: (p) => `P${p.index}` },
  { title: "busy", text: (p) => percent(p.busy) },
  { title: "last two minutes, 0 to 100 %", kind: "text", draw: (cell, p) => spark(cell, p.index) },
  { title: "runnable", text: (p) => count(p.queue) },
  { title: "runs", text: (p) => rate(p.runs) },
  { title: "steals", text: (p) => rate(p.steals), minor: true },
  { title: "sleeps", text: (p) => rate(p.sleeps), minor: true },
  { title: "polls", text: (p) => rate(p.polls), minor: true },
  { title: "ready per poll", text: (p) => (p.polls > 0 ? compact(p.ready / p.polls) : "–"), minor: true },
  { title: "timers", text: (p) => count(p.timers), minor: true },
  { title: "machine", text: (p) => (p.machine ? `M${p.machine}` : "–"), minor: true },
  { title: "goroutine", text: (p) => (p.goroutine ? `G${p.goroutine}` : p.idle ? "asleep" : "–"), minor: true },
], (p) => p.index);

function spark(cell, index) {
  const width = 144;
  const height = 22;
  let path = cell.querySelector("path");
  if (!path) {
    path = svg("path");
    cell.replaceChildren(svg("svg", { class: "spark", viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: "none", "aria-hidden": "true" }, path));
  }
  const end = last().time;
  let d = "";
  for (const sample of feed.samples) {
    const busy = sample.processors.find((p) => p.index === index)?.busy;
    const x = width * (1 - (end - sample.time) / 120_000);
    if (busy != null && x >= 0) d += `M${(x - 1.2).toFixed(1)} ${height}V${(height * (1 - busy)).toFixed(1)}h1.2V${height}z`;
  }
  path.setAttribute("d", d);
}

const ofTotal = (n) => percent(population ? n / Math.max(1, population.total) : 0);

const countColumns = (title) => [
  { title, header: true, kind: "text", text: (row) => row.name },
  { title: "goroutines", text: (row) => exact(row.count) },
  { title: "of all", text: (row) => ofTotal(row.count) },
  { title: "", draw: (cell, row) => { cell.className = "wide"; meter(cell, row.count / Math.max(1, population.total)); } },
];

const stateTable = new Table(byId("states"), countColumns("state"), (row) => row.name);
const waitTable = new Table(byId("waits"), countColumns("reason"), (row) => row.name, "None waits.");
const siteTable = new Table(byId("sites"), [
  { title: "place", header: true, kind: "site", text: (row) => row.site },
  { title: "goroutines", text: (row) => exact(row.count) },
  { title: `in ${window} s`, text: (row) => signed(row.change), alarm: (row) => row.isGrowing },
  { title: "waiting", text: (row) => exact(row.waiting), minor: true },
  { title: "spawned", text: (row) => (row.spawned == null ? "not recorded" : rate(row.spawned)), minor: true },
  { title: "running", text: (row) => (row.running == null ? "not recorded" : percent(row.running)) },
  { title: "", text: (row) => (row.isGrowing ? "grows: a leak?" : ""), kind: "text", alarm: (row) => row.isGrowing },
], (row) => row.site);
const bufferTable = new Table(byId("buffers"), [
  { title: "node", header: true, kind: "text", text: (c) => (c.node < 0 ? "reserve" : String(c.node)) },
  { title: "size", text: (c) => bytes(c.size) },
  { title: "in use", text: (c) => exact(c.inUse) },
  { title: "cached", text: (c) => exact(c.cached) },
  { title: "free", text: (c) => exact(c.free) },
  { title: "idle", text: (c) => exact(c.idle), minor: true },
  { title: "of the limit", text: (c) => percent((c.size * (c.inUse + c.cached + c.free + c.idle)) / last().buffers.limit) },
], (c) => `${c.node} ${c.size}`, "No buffer has been rented yet.");

let population = null;

function showPopulation() {
  const counted = feed.samples.filter((s) => s.population);
  population = counted.at(-1)?.population ?? null;
  if (!population) return;
  const ago = Math.max(0, last().time - population.time) / 1000;
  setText(byId("census-note"), population.took > 100 || ago > 3
    ? `Counted in pieces over ${seconds(population.took / 1000)}, ${seconds(ago)} ago: there are many.`
    : `${exact(population.total)} counted at ${clock(population.time)}.`);
  stateTable.update(population.states);
  waitTable.update(population.waits);
  const earlier = counted.find((s) => s.population.time > population.time - window * 1000)?.population;
  const before = new Map(earlier.sites.map((site) => [site.site, site.count]));
  siteTable.update(population.sites.map((site) => {
    const change = earlier === population ? null : site.count - (before.get(site.site) ?? 0);
    return { ...site, change, isGrowing: grows(site.site, counted) };
  }));
}

// It has become more in each third of the last half a minute, and by a fifth in all: or it is only busier for a moment.
function grows(name, counted) {
  const samples = counted.filter((s) => s.population.time > population.time - window * 1000);
  if (samples.length < 9) return false;
  const at = (part) => samples[Math.floor((samples.length - 1) * part)].population.sites.find((site) => site.site === name)?.count ?? 0;
  const [a, b, c, d] = [0, 1 / 3, 2 / 3, 1].map(at);
  return a < b && b < c && c < d && d >= 10 && d >= a * 1.2;
}

function showBuffers(sample) {
  const { committed, limit, released, waiting, large, classes } = sample.buffers;
  setText(byId("buffers-note"), `${bytes(committed)} of at most ${bytes(limit)} (${percent(committed / limit)}); ${bytes(large)} in large ones, ${
    bytes(released)} given back; ${exact(waiting)} wait for memory.`);
  bufferTable.update(classes.filter((c) => c.inUse + c.cached + c.free + c.idle > 0));
}

// ---- The timeline ----

const timeline = new Timeline({
  box: byId("timeline"), detail: byId("timeline-detail"), legend: byId("timeline-legend"), range: byId("range"), follow: byId("follow") });

const handOffTable = new Table(byId("handoffs"), [
  { title: "time", header: true, kind: "text", text: (h) => timeline.clockOf(h.from) },
  { title: "P", kind: "text", text: (h) => `P${h.processor}` },
  { title: "why", kind: "text", text: (h) => h.reason },
  { title: "went on for", text: (h) => (h.length == null ? "–" : microseconds(h.length)) },
  { title: "spawned at", kind: "site", text: (h) => h.site || "unknown" },
  { title: "goroutine", text: (h) => (h.goroutine ? String(h.goroutine) : "–"), minor: true },
], (h) => h.id, "None in the last seconds.");
const sliceTable = new Table(byId("slices"), [
  { title: "ran for", header: true, kind: "text", text: (s) => microseconds(s.busy) },
  { title: "P", kind: "text", text: (s) => timeline.nameOf(s.row) },
  { title: "spawned at", kind: "site", text: (s) => s.site },
  { title: "then", kind: "text", text: (s) => timeline.endOf(s) },
  { title: "goroutine", text: (s) => String(s.goroutine), minor: true },
], (s) => `${s.row} ${s.from}`, "Nothing has run.");

timeline.addEventListener("change", () => {
  const { runs, handOffs } = timeline.inView;
  handOffTable.update(handOffs.slice(0, 12));
  sliceTable.update(runs.filter((run) => run.runs === 1).slice(0, 12));
});
timeline.addEventListener("follow", () => showTimeline());

function showTimeline() {
  timeline.update(feed.timelines, feed.about?.ends ?? []);
}

byId("zoom-in").addEventListener("click", () => timeline.zoom(-1));
byId("zoom-out").addEventListener("click", () => timeline.zoom(1));
byId("earlier").addEventListener("click", () => timeline.move(-0.5));
byId("later").addEventListener("click", () => timeline.move(0.5));

const traceToggle = byId("trace-toggle");

function record(on) {
  feed.withTimeline = on;
  traceToggle.setAttribute("aria-pressed", String(on));
  try {
    sessionStorage.setItem("netgo-record", String(on));
  } catch {
    // Storage may be forbidden: the choice then lasts as long as the page.
  }
}

let remembered = null;
try {
  remembered = sessionStorage.getItem("netgo-record");
} catch {
  // As above.
}
record(remembered !== "false");
traceToggle.addEventListener("click", () => record(!feed.withTimeline));

// ---- The trace ----

byId("trace").addEventListener("submit", (event) => {
  const left = Number(new FormData(event.target).get("seconds"));
  const state = byId("trace-state");
  setText(state, `Recording for ${left} s; the file comes then.`);
  setTimeout(() => setText(state, ""), (left + 1) * 1000);
});

// ---- The whole ----

const pause = byId("pause");
pause.addEventListener("click", () => {
  feed.pause(!feed.paused);
  pause.setAttribute("aria-pressed", String(feed.paused));
  setText(pause, feed.paused ? "Go on" : "Pause");
});

function state() {
  if (feed.paused) return "Paused";
  if (feed.failure) return `No figures: ${feed.failure}`;
  if (!last()) return "Collecting the first second";
  return feed.traced ? "Live, recording" : "Live";
}

let shown = 0;

feed.addEventListener("change", () => {
  setText(byId("status"), state());
  byId("status").classList.toggle("alarm", feed.failure !== null && !feed.paused);
  if (feed.about) {
    setText(byId("name"), `${feed.about.name} (${feed.about.id})`);
    setText(byId("about"), `${feed.about.runtime}, ${feed.about.cores} cores, since ${new Date(feed.about.started).toLocaleString()}`);
    document.title = `${feed.about.name}: NetGo live`;
  }
  const sample = last();
  if (!sample || sample.number === shown) return;
  shown = sample.number;
  showFigures(sample);
  for (const chart of charts) chart();
  byId("requests-note").hidden = sample.requests !== null;
  processorTable.update(sample.processors);
  showPopulation();
  showLatencies();
  showBatches();
  showBuffers(sample);
  showTimeline();
});

showFigures(null);
feed.start();

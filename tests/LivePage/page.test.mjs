// The live page, in a browser, beside a server that is asked for faults. What the page says is compared with what the server says.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { launch, open } from "./browser.mjs";
import { startLoad, startServer } from "./server.mjs";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const limit = 30_000; // of any wait, milliseconds
const axe = readFileSync(here("node_modules/axe-core/axe.min.js"), "utf8");

// Where the server leaks is what its source says.
const leakLine = readFileSync(here("Server/Program.cs"), "utf8").split("\n").findIndex((line) => line.includes("// LEAK")) + 1;
const leakSite = `Program.cs:${leakLine}`;

let server, browser, live, page, scratch;

before(async () => {
  scratch = mkdtempSync(join(tmpdir(), "live-page-"));
  server = await startServer(here("Server/bin/Release/net10.0/LiveServer"));
  browser = await launch();
  live = await open(browser, server.page);
  page = live.page;
});

after(async () => {
  await browser?.close();
  await server?.stop();
  rmSync(scratch, { recursive: true });
});

const number = (text) => Number(text.replaceAll(",", ""));

// Begun early: that something grows takes a while to see.
let stopLeaking;

function leak() {
  let leaked = 0;
  let goesOn = true;
  const leaking = (async () => {
    for (; goesOn; leaked += 10) {
      await server.get("/leak?n=10");
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    return leaked;
  })();
  stopLeaking = () => {
    goesOn = false;
    return leaking;
  };
}

/** Waits until the function returns something that is true, and returns that. */
async function until(what, condition) {
  const end = Date.now() + limit;
  let last;
  while (Date.now() < end) {
    last = await condition();
    if (last) return last;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  assert.fail(`not in time: ${what}`);
}

const figure = (name, p = page) => p.locator("#figures > div", { has: p.getByText(name, { exact: true }) }).locator("dd").evaluate((dd) => dd.firstChild.textContent);

/** The cells of the row of a table that begins with a text; null when there is none. */
const row = (table, name) =>
  page.locator(`#${table} tbody tr`).evaluateAll((rows, wanted) => {
    const found = rows.find((r) => r.cells[0].textContent === wanted);
    return found ? [...found.cells].map((cell) => cell.textContent) : null;
  }, name);

/** In the page's own world, past its policy, which lets no script in. */
async function violations(p) {
  await p.evaluate(axe);
  const { violations: found } = await p.evaluate(() => globalThis.axe.run(document, { resultTypes: ["violations"] }));
  return found.map((v) => `${v.id}: ${v.help}: ${v.nodes.map((n) => n.target).join(", ")}`);
}

test("the page shows how many goroutines, processors and machines the server has", async () => {
  await server.get("/leak?n=37");
  await until("the same goroutines on both sides", async () => number(await figure("Goroutines")) === (await server.facts()).goroutines);
  const facts = await server.facts();
  assert.ok(facts.goroutines >= 37);
  assert.equal(await page.locator("#processors tbody tr").count(), facts.processors);
  await until("as many machines", async () => number(await figure("Machines")) === (await server.facts()).machines);
  await until("all counted by state", async () => {
    const counts = await page.locator("#states tbody tr").evaluateAll((rows) => rows.map((r) => r.cells[1].textContent));
    return counts.reduce((sum, text) => sum + number(text), 0) === (await server.facts()).goroutines;
  });
  assert.ok(number((await row("waits", "channel receive"))[1]) >= 37);
  await server.get("/mend");
  leak();
});

test("requests, how long they took, and connections are those of a load", async () => {
  const stop = startLoad(server.origin, ["/sleep?ms=40"], 7, 0);
  await until("the load", async () => {
    const [requests, latency, connections] = await Promise.all(["Requests", "Latency p99", "Connections"].map((name) => figure(name)));
    return parseFloat(requests) > 20 && /ms$/.test(latency) && parseFloat(latency) >= 40 && number(connections) >= 7;
  });
  await until("the histogram has them", async () => /[1-9]\S* requests/.test(await page.locator("#chart-histogram").innerText()));
  await stop();
});

test("a handler that blocks shows as a hand-off, with how long it went on", async () => {
  const before = (await server.facts()).blocked;
  await until("a hand-off that took about as long as the handler slept", async () => {
    await server.get("/block?ms=80");
    const rows = await page.locator("#handoffs tbody tr").evaluateAll((all) => all.map((r) => [...r.cells].map((c) => c.textContent)));
    return rows.some(([, , why, length]) => why === "blocked" && /^\d+(\.\d+)? ms$/.test(length) && parseFloat(length) >= 60);
  });
  assert.ok((await server.facts()).blocked > before);
  assert.match(await page.locator("#chart-handoffs").innerText(), /blocked/);
});

test("garbage collections are in the timeline", async () => {
  await page.locator("#timeline").focus();
  await until("a collection can be chosen", async () => {
    await server.get("/collect");
    await page.keyboard.press("Escape");
    await new Promise((resolve) => setTimeout(resolve, 1200));
    for (const key of ["ArrowDown", "ArrowDown", "ArrowDown"]) await page.keyboard.press(key);
    return /garbage collect/.test(await page.locator("#timeline-detail").innerText());
  });
  await page.keyboard.press("Escape");
});

test("all of it can be reached and used with the keyboard", async () => {
  await page.locator(".skip").focus();
  const reached = [];
  for (let i = 0; i < 60; i++) {
    const name = await page.evaluate(() => {
      const e = document.activeElement;
      const style = getComputedStyle(e);
      return e === document.body ? null : { name: e.id || e.closest("[id]")?.id || e.textContent, outline: parseFloat(style.outlineWidth), style: style.outlineStyle };
    });
    if (!name) break;
    reached.push(name);
    await page.keyboard.press("Tab");
  }
  const names = reached.map((r) => r.name);
  for (const wanted of ["pause", "trace-toggle", "zoom-in", "timeline", "trace", "chart-busy", "chart-latency", "chart-batches"])
    assert.ok(names.includes(wanted), `${wanted} is not reached: ${names.join(", ")}`);
  assert.deepEqual(reached.filter((r) => r.style === "none" || r.outline < 1).map((r) => r.name), [], "the focus can be seen everywhere");

  // The timeline
  const detail = page.locator("#timeline-detail");
  await page.locator("#timeline").focus();
  await until("something runs", async () => {
    await server.get("/work");
    await page.keyboard.press("End");
    return /goroutine|runs/.test(await detail.innerText());
  });
  const last = await detail.innerText();
  await page.keyboard.press("Home");
  assert.notEqual(await detail.innerText(), last);
  const held = await page.locator("#range").innerText();
  assert.match(held, /held$/);
  await page.keyboard.press("+");
  assert.notEqual(await page.locator("#range").innerText(), held);
  await page.keyboard.press("-");
  await page.keyboard.press("Escape");
  assert.equal(await detail.innerText(), "Nothing is chosen.");

  // A chart
  const chart = page.locator("#chart-busy [role=slider]");
  await chart.focus();
  assert.match(await chart.getAttribute("aria-valuetext"), /^now: /);
  await page.keyboard.press("ArrowLeft");
  assert.match(await chart.getAttribute("aria-valuetext"), /^\d\d:\d\d:\d\d: P0 \d+(\.\d)? %/);
  await chart.blur();
});

test("a leak shows at the place where its goroutines are spawned", async () => {
  await until("the leak is called one", async () => (await row("sites", leakSite))?.at(-1) === "grows: a leak?");
  const leaked = await stopLeaking();
  await until("the page counts as many as were leaked", async () => number((await row("sites", leakSite))[1]) === leaked);
  assert.match(await server.get("/mend"), new RegExp(`^${leaked} ended`));
  await until("they have gone", async () => (await row("sites", leakSite)) === null || (await row("sites", leakSite))[1] === "0");
});

test("what is spawned anywhere is text, whatever its name", async () => {
  const name = "<img src=x onerror=alert(1)>.cs:1";
  await server.get("/odd-site");
  await until("the odd name as it is", () => row("sites", name));
  assert.equal(await page.locator("img").count(), 0);
  await server.get("/mend");
});

test("paused, it stands still and asks for nothing, and nothing is traced; nor without the timeline", async () => {
  assert.equal((await server.facts()).traced, true);
  await page.locator("#pause").focus();
  await page.keyboard.press("Space");
  await page.locator("#status", { hasText: "Paused" }).waitFor({ timeout: limit });
  let asked = 0;
  const count = () => asked++;
  page.on("request", count);
  const text = await page.locator("main").innerText();
  await until("nobody traces", async () => !(await server.facts()).traced);
  assert.equal(await page.locator("main").innerText(), text);
  assert.equal(asked, 0);
  page.off("request", count);

  // It goes on, first without the timeline.
  await page.locator("#trace-toggle").click();
  await page.locator("#pause").press("Space");
  const before = await page.locator("#census-note").innerText();
  await page.locator("#status", { hasText: /^Live$/ }).waitFor({ timeout: limit });
  await until("it moves again", async () => (await page.locator("#census-note").innerText()) !== before);
  assert.equal((await server.facts()).traced, false);
  await page.locator("#trace-toggle").click();
  await page.locator("#status", { hasText: "Live, recording" }).waitFor({ timeout: limit });
  assert.equal((await server.facts()).traced, true);
});

test("a trace can be downloaded, for Go's tool and for Perfetto", async () => {
  const stop = startLoad(server.origin, ["/hello", "/work"], 4, 2);
  await page.locator("[name=seconds]").fill("1");
  for (const [format, check] of [["go", checkGo], ["perfetto", checkPerfetto]]) {
    await page.locator("[name=format]").selectOption(format);
    const [download] = await Promise.all([page.waitForEvent("download", { timeout: limit }), page.getByRole("button", { name: "Download" }).click()]);
    const file = join(scratch, download.suggestedFilename());
    await download.saveAs(file);
    check(file);
  }
  await stop();
});

function checkGo(file) {
  assert.match(file, /netgo-\d{8}-\d{6}\.trace$/);
  assert.equal(readFileSync(file).subarray(0, 8).toString(), "go 1.19 ");
  const parsed = spawnSync("go", ["tool", "trace", "-d", file], { encoding: "utf8", maxBuffer: 1 << 28 });
  if (parsed.error?.code === "ENOENT") return;
  assert.equal(parsed.status, 0, parsed.stderr);
  assert.match(parsed.stdout, /GoStart/);
}

function checkPerfetto(file) {
  const { traceEvents } = JSON.parse(readFileSync(file, "utf8"));
  assert.ok(traceEvents.some((e) => e.ph === "X" && /\.cs:\d+/.test(e.name)));
}

test("it is accessible, in light and dark, wide and narrow, with everything unfolded", async () => {
  await page.locator("#pause").click(); // it takes a while
  await page.evaluate(() => document.querySelectorAll("details").forEach((d) => (d.open = true)));
  const grounds = [];
  for (const colorScheme of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    grounds.push(await page.evaluate(() => getComputedStyle(document.body).backgroundColor));
    await page.setViewportSize({ width: colorScheme === "light" ? 1280 : 360, height: 800 });
    assert.deepEqual(await violations(page), [], colorScheme);
  }
  assert.equal(new Set(grounds).size, 2);
  assert.equal(await page.evaluate(() => getComputedStyle(document.querySelector(".meter i")).transitionDuration), "0s");
  await page.emulateMedia({ colorScheme: "light", reducedMotion: "no-preference" });
  await page.locator("#pause").click();
});

test("a phone shows it without scrolling sideways", async () => {
  for (const width of [360, 320]) {
    await page.setViewportSize({ width, height: 740 });
    await until(`no more than ${width} px`, async () => (await page.evaluate(() => document.documentElement.scrollWidth)) <= width);
    const far = await page.evaluate(() => Math.max(...[...document.querySelectorAll("section, header, figure, button, h2")].map((e) => e.getBoundingClientRect().right)));
    assert.ok(far <= width, `something reaches to ${far} px`);
  }
  await page.setViewportSize({ width: 1280, height: 900 });
});

test("two that look see the same", async () => {
  const other = await open(browser, server.page);
  await until("the same sample", async () => {
    const [a, b] = await Promise.all([page, other.page].map((p) => p.locator("#range").innerText()));
    return a === b && a !== "";
  });
  assert.deepEqual(other.complaints, []);
  await other.context.close();
});

test("it has complained of nothing, and asked nobody else", () => assert.deepEqual(live.complaints, []));

// Pictures of the live page for docs/images: screenshots.mjs SERVER DIRECTORY

import { mkdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { launch, open } from "./browser.mjs";
import { startLoad, startServer } from "./server.mjs";

const [, , program, directory] = process.argv;
const largest = 200_000; // bytes

mkdirSync(directory, { recursive: true });
const server = await startServer(program);
const browser = await launch();
const stops = [
  startLoad(server.origin, ["/hello", "/work", "/hello", "/fan-out"], 12, 6),
  startLoad(server.origin, ["/block?ms=30", "/work", "/work"], 2, 60),
  startLoad(server.origin, ["/leak?n=4"], 1, 400),
  startLoad(server.origin, ["/collect"], 1, 1700),
];

async function picture(name, page, options) {
  const path = join(directory, `${name}.png`);
  await page.screenshot({ path, ...options });
  const { size } = statSync(path);
  console.log(`${path}: ${size} bytes`);
  if (size > largest) throw new Error(`${path} is larger than ${largest} bytes`);
}

try {
  const { page } = await open(browser, server.page, { viewport: { width: 1200, height: 780 } });
  await page.waitForTimeout(35_000); // the charts have something to show, and the leak is one
  await page.locator("#zoom-in").click();
  for (const scheme of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme: scheme });
    await page.waitForTimeout(1500);
    await picture(`live-${scheme}`, page);
  }
  await page.emulateMedia({ colorScheme: "light" });
  await page.evaluate(() => {
    document.documentElement.scrollTop = document.getElementById("processors-title").getBoundingClientRect().top + scrollY - 70;
  });
  await page.waitForTimeout(1500);
  await picture("live-charts", page);
  await page.evaluate(() => {
    document.documentElement.scrollTop = document.getElementById("goroutines-title").getBoundingClientRect().top + scrollY - 70;
  });
  await page.waitForTimeout(1500);
  await picture("live-goroutines", page);
  await page.setViewportSize({ width: 360, height: 800 });
  await page.evaluate(() => scrollTo(0, 0));
  await page.waitForTimeout(1500);
  await picture("live-phone", page);

  // A slice of a handler that blocks, chosen by keyboard.
  await page.setViewportSize({ width: 1200, height: 560 });
  await page.evaluate(() => {
    document.documentElement.scrollTop = document.getElementById("timeline-title").getBoundingClientRect().top + scrollY - 70;
  });
  await page.locator("#timeline").focus();
  await page.keyboard.press("End");
  for (let i = 0; i < 200 && !/handed off, blocked/.test(await page.locator("#timeline-detail").innerText()); i++) await page.keyboard.press("ArrowLeft");
  for (let i = 0; i < 3; i++) await page.keyboard.press("+");
  await picture("live-timeline", page);
} finally {
  await Promise.all(stops.map((stop) => stop()));
  await browser.close();
  await server.stop();
}

// SPDX-License-Identifier: GPL-3.0-or-later
// How long the page of a large fleet takes to open, and each filter until what it shows is drawn, in milliseconds.
import { launch, open } from "./browser.mjs";

const browser = await launch();
const began = performance.now();
const { page } = await open(browser, "large");
await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => setTimeout(done))));
console.log(`opened and drawn: ${Math.round(performance.now() - began)} ms`);
const filters = [["host", "relay77"], ["host", ""], ["severity", "high"], ["severity", ""], ["standard", "1"],
  ["standard", ""], ["state", "pass"], ["state", "fail"]];
for (const [name, value] of filters) {
  const took = await page.evaluate(async ([name, value]) => {
    const form = document.querySelector("form"), started = performance.now();
    if (name === "state") {
      form.querySelector(`[value=${value}]`).click();
    } else {
      form[name].value = value;
      form.dispatchEvent(new Event("input"));
    }
    await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
    return performance.now() - started;
  }, [name, value]);
  console.log(`filter by ${name} ${value || "any"}: ${Math.round(took)} ms`);
}
await browser.close();

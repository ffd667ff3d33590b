// SPDX-License-Identifier: GPL-3.0-or-later
// Debian's Chromium, driven by Playwright: opens a report as a file, and notes whatever a strict page must not do.
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";

const root = path.resolve(import.meta.dirname, "../..");
export const require = createRequire(path.join(root, ".build/reports/npm/package.json"));
export const folder = process.env.REPORTS ?? path.join(root, ".build/reports/made");
const { chromium } = require("playwright-core");

const ARGUMENTS = [
  "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync",
];

/** Start the browser, with an empty profile that is removed with it. */
export const launch = () => chromium.launch({ executablePath: "/usr/bin/chromium", args: ARGUMENTS });

/** The JSON report of a fleet. */
export const document = (fleet) => JSON.parse(readFileSync(path.join(folder, fleet, "report.json"), "utf8"));

/** Open the HTML report of a fleet. `faults` grows with errors of the console and page, and with requests. */
export const open = async (browser, fleet, { width = 1400, scheme = "light", script = true } = {}) => {
  const context = await browser.newContext({
    viewport: { width, height: 900 }, colorScheme: scheme, javaScriptEnabled: script,
  });
  const page = await context.newPage(), faults = [];
  const url = pathToFileURL(path.join(folder, fleet, "report.html")).href;
  page.on("console", (message) => faults.push(`${message.type()}: ${message.text()}`));
  page.on("pageerror", (error) => faults.push(`error: ${error}`));
  page.on("dialog", (dialog) => { faults.push(`dialog: ${dialog.message()}`); dialog.dismiss(); });
  page.on("request", (request) => { if (request.url() !== url) { faults.push(`request: ${request.url()}`); } });
  await page.goto(url);
  return { page, faults, close: () => context.close() };
};

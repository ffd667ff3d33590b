// SPDX-License-Identifier: GPL-3.0-or-later
// The HTML report in a browser: what it shows is what the JSON report says, and it can be used by everyone.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { document as report, launch, open, require } from "./browser.mjs";

const ATTENTION = ["fail", "error", "waived"];
let browser;
before(async () => { browser = await launch(); });
after(() => browser.close());

/** Run a test with an opened report. Whatever it does, nothing is loaded, and nothing is written to the console. */
const withPage = (name, fleet, options, check) => test(name, async () => {
  const { page, faults, close } = await open(browser, fleet, options);
  try {
    await check(page);
    assert.deepEqual(faults, []);
  } finally {
    await close();
  }
});

/** The findings of a JSON report: state, severity, host and the standards of the control. */
const findings = (fleet) => {
  const document = report(fleet);
  const standards = Object.fromEntries(
    document.controls.map((control) => [control.id, control.sources.map((source) => source.standard)]));
  return document.hosts.flatMap(({ host, results }) => (results.length ? results : [
    { finding: { control: "HOST", status: "error", severity: "critical" } },
  ]).map(({ finding, waiver, waiver_expired: expired }) => ({
    host, control: finding.control, severity: finding.severity, standards: standards[finding.control] ?? [],
    state: waiver && !expired && ["fail", "error"].includes(finding.status) ? "waived" : finding.status,
  })));
};

/** What a reader sees: the number that is told, and the findings. */
const shown = (page) => page.evaluate(() => ({
  told: document.querySelector("output").textContent,
  items: Array.from(document.querySelectorAll("#findings .findings > li"), (item) =>
    item.checkVisibility() && { state: item.className, host: item.querySelector("bdi").textContent }).filter(Boolean),
}));
const counted = (items) => {
  const found = {};
  for (const { state, host } of items) { found[`${host} ${state}`] = (found[`${host} ${state}`] ?? 0) + 1; }
  return found;
};
const check = async (page, fleet, fits) => {
  const all = findings(fleet), wanted = all.filter(fits), { told, items } = await shown(page);
  assert.equal(told, `${wanted.length} of ${all.length} findings shown`);
  assert.deepEqual(counted(items), counted(wanted));
};
const checkAll = async (page) => {
  for (const box of await page.locator("[name=state]").all()) { await box.check(); }
};

for (const fleet of ["relays", "states", "fine", "nothing"]) {
  withPage(`numbers of ${fleet} are those of the JSON report`, fleet, {}, async (page) => {
    const tiles = await page.$$eval(".tiles li", (all) => all.map((one) =>
      [one.className, Number(one.querySelector("b").textContent)]));
    assert.deepEqual(Object.fromEntries(tiles), report(fleet).counts);
    assert.equal(await page.locator(".verdict").textContent(), report(fleet).verdict.sentence);
    await checkAll(page);
    await check(page, fleet, () => true);
  });
}

withPage("opens with what needs attention", "relays", {}, (page) =>
  check(page, "relays", ({ state }) => ATTENTION.includes(state)));

withPage("filters by host", "relays", {}, async (page) => {
  await page.locator("[name=host]").fill(" RELAY2 ");
  await check(page, "relays", ({ state, host }) => ATTENTION.includes(state) && host.includes("relay2"));
  await checkAll(page);
  await check(page, "relays", ({ host }) => host.includes("relay2"));
  await page.locator("[name=host]").fill("no such host");
  await check(page, "relays", () => false);
  await page.locator("[type=reset]").click();
  await check(page, "relays", ({ state }) => ATTENTION.includes(state));
});

withPage("filters by severity", "relays", {}, async (page) => {
  await checkAll(page);
  for (const severity of ["critical", "high", "medium", "low"]) {
    await page.locator("[name=severity]").selectOption(severity);
    await check(page, "relays", (one) => one.severity === severity);
  }
});

withPage("filters by standard", "relays", {}, async (page) => {
  await checkAll(page);
  const names = await page.locator("[name=standard] option").allTextContents();
  assert.ok(names.length > 10, names);
  for (const name of names.slice(1)) {
    await page.locator("[name=standard]").selectOption({ label: name });
    await check(page, "relays", (one) => one.standards.includes(name));
  }
});

withPage("filters by state", "relays", {}, async (page) => {
  for (const state of Object.keys(report("relays").counts)) {
    await page.locator("[name=state]:checked").evaluateAll((all) => all.forEach((box) => box.click()));
    await page.locator(`[name=state][value=${state}]`).check();
    await check(page, "relays", (one) => one.state === state);
  }
});

withPage("filters together", "relays", {}, async (page) => {
  await page.locator("[name=host]").fill("mx");
  await page.locator("[name=severity]").selectOption("high");
  await page.locator("[name=standard]").selectOption({ label: "RFCs" });
  await page.locator("[name=state][value=pass]").check();
  await check(page, "relays", (one) => one.host.includes("mx") && one.severity === "high"
    && one.standards.includes("RFCs") && [...ATTENTION, "pass"].includes(one.state));
});

withPage("links of hosts, numbers and standards filter", "relays", {}, async (page) => {
  await page.locator("#hosts a", { hasText: "legacy.example.com" }).click();
  await check(page, "relays", ({ state, host }) => ATTENTION.includes(state) && host === "legacy.example.com");
  await page.locator(".tiles a[data-state=pass]").click();
  await check(page, "relays", ({ state }) => state === "pass");
  await page.locator("#standards a", { hasText: "DISA STIG" }).first().click();
  await check(page, "relays", ({ standards }) => standards.includes("DISA STIG"));
});

withPage("link to a control that is filtered out shows it", "relays", {}, async (page) => {
  const link = page.locator("#grid thead a", { hasText: "MR-DNS-01" });
  assert.equal(await page.locator("#control-MR-DNS-01").isVisible(), false);
  await link.click();
  assert.equal(await page.locator("#control-MR-DNS-01").isVisible(), true);
});

withPage("text of a server stays text", "relays", {}, async (page) => {
  await checkAll(page);
  assert.match(await page.locator("#findings").innerText(), /greets as <script>alert\(1\)<\/script>/);
  assert.equal(await page.locator("script").count(), 2);
});
withPage("text of a server stays text wherever it is", "hostile", {}, async (page) => {
  await page.locator("#hosts a[data-host]").click();
  assert.match(await page.locator("#hosts").innerText(), /220 <script>alert\(1\)<\/script>/);
  assert.match(await page.locator("#findings li").innerText(), /: 220 <script>alert\(1\)<\/script>/);
  assert.equal(await page.locator("script").count(), 2);
});

withPage("fix can be copied", "relays", {}, async (page) => {
  await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
  const article = page.locator("#control-MR-TLS-05");
  await article.locator(".copy").click();
  await article.locator(".copy", { hasText: "Copied" }).waitFor(); // the clipboard answers later
  const copied = await page.evaluate(() => navigator.clipboard.readText());
  assert.match(copied, /^relay_tls:\n {2}certificate: /);
});

withPage("everything is reached by keyboard, with a visible focus", "relays", {}, async (page) => {
  const wanted = await page.evaluate(() => Array.from(
    document.querySelectorAll("a[href], input, select, button, summary, [tabindex='0']")).filter((one) =>
    one.checkVisibility({ contentVisibilityAuto: true })).length);
  const seen = new Set(), unseen = [];
  for (let presses = 0; presses < wanted + 5; presses += 1) {
    await page.keyboard.press("Tab");
    const one = await page.evaluate(() => {
      const at = document.activeElement, style = getComputedStyle(at), box = at.getBoundingClientRect();
      at.dataset.visited ??= String(document.querySelectorAll("[data-visited]").length);
      return { key: at.dataset.visited, tag: at.tagName, name: at.name || at.textContent.slice(0, 30),
        isSeen: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2 && box.width > 0 };
    });
    if (one.tag === "BODY") { break; }
    if (!one.isSeen) { unseen.push(one); }
    seen.add(one.key);
  }
  assert.deepEqual(unseen, []);
  assert.ok(seen.size >= wanted - 2, `${seen.size} of ${wanted} were reached`);
});

withPage("filters are used by keyboard", "relays", {}, async (page) => {
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter"); // skips to the findings
  await page.keyboard.press("Tab");
  await page.keyboard.type("mx1");
  await check(page, "relays", ({ state, host }) => ATTENTION.includes(state) && host.includes("mx1"));
  for (const dummy of ["severity", "standard", "state"]) { await page.keyboard.press("Tab"); }
  await page.keyboard.press("Space"); // no failures
  await check(page, "relays", ({ state, host }) => ["error", "waived"].includes(state) && host.includes("mx1"));
});

withPage("print has the findings without the filters, and what is folded", "relays", {}, async (page) => {
  await page.emulateMedia({ media: "print" });
  assert.equal(await page.locator("form").isVisible(), false);
  assert.equal(await page.locator("#control-MR-RELAY-01").isVisible(), true);
  const folded = await page.locator("#standards details:not([open]) td").first().boundingBox();
  assert.ok(folded && folded.height > 0);
  const pdf = await page.pdf();
  assert.equal(pdf.subarray(0, 5).toString(), "%PDF-");
});

withPage("without its script it shows what needs attention", "relays", { script: false }, async (page) => {
  const states = await page.$$eval("#findings .findings > li", (all) => all.map((one) => one.className));
  assert.equal(states.length, findings("relays").filter(({ state }) => ATTENTION.includes(state)).length);
  assert.equal(await page.locator("form").isVisible(), false);
  assert.match(await page.locator("output").textContent(), /leaves out \d+ findings/);
});

withPage("large fleet shows the first findings of a control, then all", "large", {}, async (page) => {
  const { counts } = report("large");
  await page.locator(".tiles a[data-state=pass]").click();
  assert.match(await page.locator("output").textContent(), new RegExp(`^${counts.pass} of 64000 `));
  const article = page.locator("article:visible").first();
  assert.equal(await article.locator("li.pass").count(), 100);
  const text = await article.locator(".more").textContent();
  await article.locator(".more").click();
  assert.equal(text, `Show all ${await article.locator("li.pass").count()}`);
});

withPage("table of a large fleet is filled when it is opened", "large", {}, async (page) => {
  await page.locator("#grid summary").click();
  await page.locator("#grid tbody tr").nth(999).waitFor({ state: "attached" });
  const letters = await page.$$eval("#grid td", (all) => all.reduce((found, { className }) =>
    ({ ...found, [className]: (found[className] ?? 0) + 1 }), {}));
  const wanted = Object.fromEntries(Object.entries(report("large").counts).filter(([, number]) => number));
  assert.deepEqual(letters, wanted);
});

const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
for (const fleet of ["relays", "states"]) {
  for (const scheme of ["light", "dark"]) {
    for (const width of [1400, 400]) {
      withPage(`axe finds no serious fault: ${fleet}, ${scheme}, ${width} pixels`, fleet, { scheme, width },
        async (page) => {
          if (fleet === "states") { await checkAll(page); }
          assert.ok(await page.evaluate(() => document.documentElement.scrollWidth) <= width, "it scrolls sideways");
          await page.evaluate(axe);
          const { violations } = await page.evaluate(() => axe.run({ resultTypes: ["violations"] }));
          const serious = violations.filter(({ impact }) => ["serious", "critical"].includes(impact));
          assert.deepEqual(serious.map(({ id, nodes }) => [id, nodes[0].html, nodes[0].failureSummary]), []);
        });
    }
  }
}

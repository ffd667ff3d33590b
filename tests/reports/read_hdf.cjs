// SPDX-License-Identifier: GPL-3.0-or-later
// read_hdf.cjs FILE [convert]: how MITRE's own libraries read it, as JSON: the statuses that Heimdall shows, by host, and how much
// of it becomes findings of AWS Security Hub (ASFF), a STIG checklist (CKL) and a table of findings (CAAT).
const { readFileSync } = require("node:fs");
const path = require("node:path");
const { createRequire } = require("node:module");

const from = createRequire(path.resolve(__dirname, "../../.build/reports/npm/package.json"));
const { ChecklistResults, FromHDFToCAATMapper, FromHdfToAsffMapper } = from("@mitre/hdf-converters");
const { contextualizeEvaluation, convertFile } = from("inspecjs");

const text = readFileSync(process.argv[2], "utf8"), hdf = JSON.parse(text);
const statuses = {};
for (const profile of contextualizeEvaluation(convertFile(text)["1_0_ExecJson"]).contains) {
  const found = statuses[profile.data.name] = {};
  for (const { hdf: control } of profile.contains) { found[control.status] = (found[control.status] ?? 0) + 1; }
}
if (process.argv[3] !== "convert") {
  process.stdout.write(JSON.stringify({ statuses }));
  process.exit();
}
const options = { input: "hdf.json", awsAccountId: "123456789012", region: "eu-north-1", target: "relays" };
// It tells on the console what it shortens.
console.error = console.warn = () => {};
const asff = new FromHdfToAsffMapper(hdf, options).toAsff();
const ckl = new ChecklistResults(hdf).toCkl();
const caat = new FromHDFToCAATMapper([{ data: hdf, filename: "hdf.json" }]).toCAAT();
process.stdout.write(JSON.stringify({
  statuses,
  asff: asff.length,
  ckl: [...ckl.matchAll(/<STATUS>(\w+)<\/STATUS>/g)].length,
  caat: caat.length,
}));

# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The style and the script of the HTML report. The page's policy allows these two by their hashes, and nothing else.

Colours have a contrast of at least 4.5 to 1 in both schemes, and a word stands beside each.
"""

from __future__ import annotations

from .report import State

#: A letter for each state, so that a table of hosts and controls does not need colours.
LETTERS = {
    State.FAIL: "F",
    State.ERROR: "E",
    State.WAIVED: "W",
    State.NOT_CHECKED: "?",
    State.PASS: "P",
    State.NOT_APPLICABLE: "-",
}

_LOOK = """
:root { color-scheme: light dark; --ink: #1b1f24; --soft: #57606a; --paper: #fff; --card: #f6f8fa; --line: #d0d7de;
  --link: #0757b8; --fail: #b3141d; --error: #8a4600; --waived: #6b3fa0; --pass: #11662b; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6edf3; --soft: #a3adb8; --paper: #0d1117; --card: #161b22;
  --line: #3a424c; --link: #79b8ff; --fail: #ff8f87; --error: #f0b072; --waived: #cfa8ff; --pass: #6fd58a; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 90rem; padding: 1rem clamp(.75rem, 3vw, 2.5rem) 4rem; color: var(--ink);
  background: var(--paper); font: 1rem/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
h1 { margin: .5rem 0; font-size: 1.7rem; } h2 { margin: 2.5rem 0 .75rem; font-size: 1.3rem; }
h3 { margin: 0; font-size: 1.05rem; } a { color: var(--link); } p { margin: .4rem 0; }
:focus-visible { outline: 3px solid var(--link); outline-offset: 2px; }
.skip { position: absolute; left: -99rem; } .skip:focus { position: static; }
.verdict { padding: .75rem 1rem; border-left: .4rem solid; background: var(--card);
  font-size: 1.1rem; }
.fail { --state: var(--fail); } .error { --state: var(--error); } .waived { --state: var(--waived); }
.pass { --state: var(--pass); } .not_checked, .not_applicable { --state: var(--soft); }
[class] { color: var(--state, inherit); } .soft { --state: var(--soft); }
.tiles { display: flex; flex-wrap: wrap; gap: .75rem; margin: 1rem 0; padding: 0; list-style: none; }
.tiles li { flex: 1 1 8rem; padding: .6rem .9rem; border: 1px solid var(--line); border-radius: .4rem;
  background: var(--card); } .tiles b { display: block; font-size: 1.7rem; line-height: 1.2; }
.wide { overflow: auto; max-height: 75vh; border: 1px solid var(--line); border-radius: .4rem; }
table { border-collapse: collapse; width: 100%; } th, td { padding: .35rem .6rem; border-bottom: 1px solid var(--line);
  text-align: left; vertical-align: top; overflow-wrap: normal; } thead th { position: sticky; top: 0;
  background: var(--card); } td.n { white-space: nowrap; font-variant-numeric: tabular-nums; }
.grid { width: auto; } .grid col { width: 1.6rem; } .grid col:first-child { width: auto; }
.grid td { padding: .1rem; text-align: center; vertical-align: middle; font: .8rem ui-monospace, monospace; }
.grid .fail { font-weight: 700; }
.grid thead th + th { writing-mode: vertical-rl; height: 6.5rem; padding: .4rem .1rem; vertical-align: middle;
  font-weight: 400; font-size: .8rem; white-space: nowrap; }
.grid thead th:first-child { vertical-align: bottom; } .grid tbody th { position: sticky; left: 0; font-weight: 400;
  background: var(--paper); white-space: nowrap; }
svg.bar { display: inline-block; width: 8rem; height: .7rem; margin-right: .5rem; background: var(--line);
  border-radius: .2rem; } .bar rect { fill: currentColor; }
form { position: sticky; top: 0; z-index: 1; display: flex; flex-wrap: wrap; gap: .5rem 1.25rem; align-items: end;
  padding: .75rem 0; background: var(--paper); border-bottom: 1px solid var(--line); } [hidden] { display: none; }
label { font-size: .9rem; } form > label { display: grid; } fieldset { display: flex; flex-wrap: wrap; gap: .1rem 1rem;
  margin: 0; padding: .2rem .6rem; border: 1px solid var(--line); border-radius: .3rem; }
legend { font-size: .9rem; } input, select, button { font: inherit; color: inherit; background: var(--card);
  border: 1px solid var(--soft); border-radius: .3rem; padding: .25rem .5rem; max-width: 100%; }
article { margin: 1rem 0; padding: .9rem 1rem; border: 1px solid var(--line); border-radius: .4rem; }
.large article { content-visibility: auto; contain-intrinsic-size: auto 20rem; }
pre { margin: .4rem 0; padding: .6rem .8rem; background: var(--card); border: 1px solid var(--line);
  border-radius: .3rem; white-space: pre-wrap; font: .9rem/1.4 ui-monospace, monospace; }
.findings { margin: .6rem 0 0; padding: 0; list-style: none; } .findings li { margin: .25rem 0; padding: .2rem .7rem;
  color: var(--ink); border-left: .35rem solid var(--state); } .findings code { color: var(--soft); }
.findings bdi { font-weight: 600; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .2rem 1rem; margin: .5rem 0; }
dt { font-weight: 600; } dd { margin: 0; white-space: pre-line; }
@media (max-width: 40rem) { .grid tbody th { position: static; }
  dl { grid-template-columns: 1fr; } dd { margin-bottom: .4rem; } form { position: static; } }
@media print { form, .skip { display: none; } .wide { overflow: visible; max-height: none; }
  .large article { content-visibility: visible; } article { break-inside: avoid-page; } body { max-width: none; } }
"""
_HIDDEN = ", ".join(f'[data-hide~="{state.value}"] li.{state.value}' for state in State)
_LETTERS = " ".join(f'.grid .{state.value}::before {{ content: "{letter}"; }}' for state, letter in LETTERS.items())
STYLE = f"{_LOOK}{_LETTERS}\n{_HIDDEN} {{ display: none; }}\n"

# Filters hide findings, and articles of which all are hidden. Without the script everything is shown. A large fleet has
# 64,000 findings: states are hidden by the style, and only findings that change are touched.
SCRIPT = """
"use strict";
const form = document.querySelector("form"), shown = document.querySelector("output");
const section = document.getElementById("findings");
const groups = Array.from(section.querySelectorAll("article"), (article) => ({
  article, standards: article.dataset.standards.split(" "), hidden: false,
  items: Array.from(article.querySelectorAll(".findings > li"), (item) => ({
    item, state: item.className, severity: item.dataset.severity || article.dataset.severity, host: null, hidden: false,
  })),
}));
const total = groups.reduce((sum, group) => sum + group.items.length, 0);
const toggle = (entry, element, hidden) => {
  if (entry.hidden !== hidden) { element.hidden = entry.hidden = hidden; }
};
const isOn = (one, host) => {
  one.host ??= one.item.querySelector("bdi").textContent.toLowerCase();
  return one.host.includes(host);
};
const apply = () => {
  const host = form.host.value.trim().toLowerCase(), severity = form.severity.value, standard = form.standard.value;
  const boxes = Array.from(form.querySelectorAll("[name=state]"));
  const states = new Set(boxes.filter((box) => box.checked).map((box) => box.value));
  section.dataset.hide = boxes.filter((box) => !box.checked).map((box) => box.value).join(" ");
  let count = 0;
  for (const group of groups) {
    const fits = !standard || group.standards.includes(standard);
    let any = 0;
    for (const one of fits ? group.items : []) {
      if (!states.has(one.state)) { continue; }
      const show = (!severity || one.severity === severity) && (!host || isOn(one, host));
      any += show;
      toggle(one, one.item, !show);
    }
    toggle(group, group.article, !any);
    count += any;
  }
  shown.textContent = `${count} of ${total} findings shown`;
};
form.hidden = false;
form.addEventListener("input", apply);
form.addEventListener("submit", (event) => event.preventDefault());
form.addEventListener("reset", () => setTimeout(apply));
document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-host]");
  if (link) { form.host.value = link.textContent; apply(); }
});
apply();
"""

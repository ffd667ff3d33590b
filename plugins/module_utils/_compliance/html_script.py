# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The script of the HTML report. The page's policy allows it by its hash.

It filters the findings that the page shows, makes those that it has as data when a reader asks for them, and fills the
table of hosts and controls of a large fleet. A filter answers at once for 100,000 findings: states are hidden by the
style, elements are touched only if they change, and of each control only the first findings are made.
"""

from __future__ import annotations

SCRIPT = """
"use strict";
const data = JSON.parse(document.querySelector('script[type="application/json"]').textContent);
const form = document.querySelector("form"), shown = document.querySelector("output");
const section = document.getElementById("findings"), boxes = Array.from(form.querySelectorAll("[name=state]"));
const FIRST = 100, names = data.hosts.map((host) => host.toLowerCase());
const element = (tag, text = "", more = {}) => Object.assign(document.createElement(tag), { textContent: text }, more);
const groups = Array.from(section.querySelectorAll("article"), (article, number) => ({
  article, standards: article.dataset.standards.split(" "), severity: article.dataset.severity, hidden: false,
  items: Array.from(article.querySelectorAll(".findings > li"), (item) => ({
    item, state: item.className, severity: item.dataset.severity || article.dataset.severity, host: null, hidden: false,
  })),
  rest: data.rest[number], list: null, found: [], most: FIRST,
}));
const total = groups.reduce((sum, group) => sum + group.items.length + group.rest.length, 0);
const toggle = (entry, node, hidden) => {
  if (entry.hidden !== hidden) { node.hidden = entry.hidden = hidden; }
};
const isOn = (one, host) => {
  one.host ??= one.item.querySelector("bdi").textContent.toLowerCase();
  return one.host.includes(host);
};
const made = ([host, state, text, severity]) => {
  const item = element("li", "", { className: data.states[state][0] });
  const told = data.states[state][1] + (severity ? `, ${severity},` : "");
  item.append(`${told} `, element("bdi", data.hosts[host]), data.texts[text]);
  return item;
};
const fill = (group) => {
  if (!group.list && !group.found.length) { return; }
  if (!group.list) {
    group.list = element("ul", "", { className: "findings" });
    group.more = element("button", "", { type: "button", className: "more" });
    group.more.addEventListener("click", () => { group.most = Infinity; fill(group); });
    group.article.append(group.list, group.more);
  }
  group.list.replaceChildren(...group.found.slice(0, group.most).map(made));
  group.more.textContent = `Show all ${group.found.length}`;
  group.more.hidden = group.found.length <= group.most;
};
const apply = () => {
  const host = form.host.value.trim().toLowerCase(), severity = form.severity.value, standard = form.standard.value;
  const off = boxes.filter((box) => !box.checked).map((box) => box.value);
  const on = data.states.map(([state]) => !off.includes(state)), hosts = names.map((name) => name.includes(host));
  section.dataset.hide = off.join(" ");
  let count = 0;
  for (const group of groups) {
    const fits = !standard || group.standards.includes(standard);
    let any = 0;
    for (const one of fits ? group.items : []) {
      if (off.includes(one.state)) { continue; }
      const show = (!severity || one.severity === severity) && (!host || isOn(one, host));
      any += show;
      toggle(one, one.item, !show);
    }
    group.found = fits ? group.rest.filter((one) =>
      on[one[1]] && hosts[one[0]] && (!severity || (one[3] || group.severity) === severity)) : [];
    group.most = FIRST;
    any += group.found.length;
    fill(group);
    toggle(group, group.article, !any);
    count += any;
  }
  shown.textContent = `${count} of ${total} findings shown`;
};
const pick = ({ host = "", state = "", standard = "", all = false }) => {
  form.reset();
  form.host.value = host;
  form.standard.value = standard;
  if (all || state) { for (const box of boxes) { box.checked = all || box.value === state; } }
  apply();
};
form.hidden = false;
form.addEventListener("input", apply);
form.addEventListener("submit", (event) => event.preventDefault());
form.addEventListener("reset", () => setTimeout(apply));
document.addEventListener("click", (event) => {
  const link = event.target.closest("a");
  if (!link) { return; }
  const { host, state, standard } = link.dataset;
  if (host !== undefined) { pick({ host: link.textContent }); }
  if (state) { pick({ state }); }
  if (standard) { pick({ standard, all: true }); }
  // The article that a link leads to may be hidden by the filters.
  const target = document.getElementById(decodeURIComponent(link.hash.slice(1)));
  if (target?.matches("article") && target.hidden) { pick({ all: true }); }
});
for (const text of section.querySelectorAll("pre")) {
  const button = element("button", "Copy", { type: "button", className: "copy" });
  button.addEventListener("click", async () => {
    getSelection().selectAllChildren(text);
    try {
      await navigator.clipboard.writeText(text.textContent);
      button.textContent = "Copied";
    } catch {
      button.textContent = "Selected";
    }
    setTimeout(() => { button.textContent = "Copy"; }, 2000);
  });
  text.after(button);
}
const grid = document.querySelector("#grid details");
if (data.grid.length) {
  grid.addEventListener("toggle", () => {
    const classes = Object.fromEntries(data.states.map(([state, , letter]) => [letter, state]));
    grid.querySelector("tbody").replaceChildren(...data.grid.map((letters, number) => {
      const row = element("tr");
      row.append(element("th", data.hosts[number], { scope: "row" }));
      for (const letter of letters) { row.append(element("td", "", { className: classes[letter] || "" })); }
      return row;
    }));
  }, { once: true });
}
apply();
"""

# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The style of the HTML report. The page's policy allows it by its hash.

Colours have a contrast of at least 4.5 to 1 in both schemes, and a word stands beside each.
"""

from __future__ import annotations

from .html_parts import LETTERS
from .report import State

_LOOK = """
:root { color-scheme: light dark; --ink: #1b1f24; --soft: #57606a; --paper: #fff; --card: #f6f8fa; --line: #d0d7de;
  --link: #0757b8; --fail: #b3141d; --error: #8a4600; --waived: #6b3fa0; --pass: #11662b; --tint: 12%; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6edf3; --soft: #a3adb8; --paper: #0d1117; --card: #161b22;
  --line: #3a424c; --link: #79b8ff; --fail: #ff8f87; --error: #f0b072; --waived: #cfa8ff; --pass: #6fd58a;
  --tint: 22%; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 90rem; padding: 1rem clamp(.75rem, 3vw, 2.5rem) 4rem; color: var(--ink);
  background: var(--paper); font: 1rem/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
h1 { margin: .5rem 0; font-size: 1.7rem; line-height: 1.25; } h2 { margin: 0 0 .75rem; font-size: 1.3rem; }
h3 { margin: 0; font-size: 1.05rem; } a { color: var(--link); } p { margin: .4rem 0; } small { font-size: .8rem; }
section { margin: 2.25rem 0 0; scroll-margin-top: 1rem; }
:focus-visible { outline: 3px solid var(--link); outline-offset: 2px; }
.skip { position: absolute; left: -99rem; } .skip:focus { position: static; }
.verdict { padding: .75rem 1rem; border-left: .4rem solid; border-radius: .2rem; font-size: 1.15rem; font-weight: 600;
  background: color-mix(in srgb, var(--state) 8%, var(--paper)); }
.fail { --state: var(--fail); } .error { --state: var(--error); } .waived { --state: var(--waived); }
.pass { --state: var(--pass); } .not_checked, .not_applicable { --state: var(--soft); }
[class] { color: var(--state, inherit); } .soft { --state: var(--soft); }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(8.5rem, 1fr)); gap: .75rem; margin: .75rem 0;
  padding: 0; list-style: none; } .tiles li { border: 1px solid var(--line); border-top: .25rem solid var(--state);
  border-radius: .4rem; background: var(--card); padding: .45rem .9rem .6rem; }
.tiles a { display: block; color: inherit; text-decoration: none; } .tiles a:hover { text-decoration: underline; }
.tiles b { display: block; font-size: 1.7rem; line-height: 1.2; font-variant-numeric: tabular-nums; }
.tiles small { display: block; color: var(--soft); line-height: 1.3; }
nav { display: flex; flex-wrap: wrap; gap: .25rem 1.1rem; margin: .9rem 0 0; padding: .5rem 0;
  border-block: 1px solid var(--line); }
svg.bar { display: inline-block; width: 8rem; height: .7rem; margin-right: .5rem; background: var(--line);
  border-radius: .2rem; } .bar rect { fill: currentColor; } td .stack { width: 12rem; margin: 0; }
header .stack { display: block; width: 100%; height: .9rem; margin: 1rem 0; }
.stack .not_checked { opacity: .55; } .stack .not_applicable { opacity: .3; }
.wide { overflow: auto; max-height: 75vh; border: 1px solid var(--line); border-radius: .4rem; }
table { border-collapse: collapse; width: 100%; } th, td { padding: .35rem .6rem; border-bottom: 1px solid var(--line);
  text-align: left; vertical-align: top; overflow-wrap: normal; } tbody tr:last-child > * { border-bottom: 0; }
thead th { position: sticky; top: 0; z-index: 1; background: var(--card); font-size: .9rem; }
tbody th { font-weight: 600; } tbody th span { display: block; font-weight: 400; font-size: .85rem; }
td.n { white-space: nowrap; font-variant-numeric: tabular-nums; } .lines { white-space: pre-line; }
.grid { width: auto; } .grid col { width: 1.6rem; } .grid col:first-child { width: auto; }
.grid td { padding: .1rem; text-align: center; vertical-align: middle; font: .8rem ui-monospace, monospace;
  border-left: 1px solid var(--line); }
.grid .fail, .grid .error, .grid .waived { font-weight: 700;
  background: color-mix(in srgb, var(--state) var(--tint), var(--paper)); }
.grid thead th + th { writing-mode: vertical-rl; height: 6.5rem; padding: .4rem .1rem; vertical-align: middle;
  font-weight: 400; font-size: .8rem; white-space: nowrap; }
.grid thead th:first-child { vertical-align: bottom; left: 0; z-index: 2; }
.grid tbody th { position: sticky; left: 0; font-weight: 400; background: var(--paper); white-space: nowrap; }
details { margin: .5rem 0; } summary { padding: .25rem 0; cursor: pointer; }
form { display: flex; flex-wrap: wrap; gap: .5rem 1.25rem; align-items: end; } [hidden] { display: none; }
output { display: block; min-height: 1.5rem; margin: .5rem 0 .75rem; color: var(--soft); }
label { font-size: .9rem; } form > label { display: grid; } fieldset { display: flex; flex-wrap: wrap; gap: .1rem 1rem;
  margin: 0; padding: .2rem .6rem; border: 1px solid var(--line); border-radius: .3rem; }
legend { font-size: .9rem; } input, select, button { font: inherit; color: inherit; background: var(--card);
  border: 1px solid var(--soft); border-radius: .3rem; padding: .25rem .6rem; max-width: 100%; }
button { cursor: pointer; } button:hover { border-color: var(--link); }
article { margin: 1rem 0; padding: .9rem 1rem; border: 1px solid var(--line); border-radius: .4rem; }
article:target { border-color: var(--link); }
.large article { content-visibility: auto; contain-intrinsic-size: auto 20rem; }
h3 code { font-size: .95em; font-weight: 700; margin-right: .35rem; }
.tally { margin: .3rem 0 .5rem; font-size: .9rem; } .tally span + span { font-weight: 600; }
.badge { padding: .1rem .5rem; border-radius: 1rem; border: 1px solid; font-size: .8rem; font-weight: 600;
  margin-right: .3rem; } .critical, .high { --state: var(--fail); } .medium { --state: var(--error); }
.low { --state: var(--soft); } .critical { background: var(--fail); border-color: var(--fail); color: var(--paper); }
pre { position: relative; margin: .1rem 0; padding: .6rem .8rem; background: var(--card); border: 1px solid var(--line);
  border-radius: .3rem; white-space: pre-wrap; font: .9rem/1.4 ui-monospace, monospace; }
.copy { font-size: .8rem; padding: .1rem .6rem; margin: .2rem 0 .4rem; }
.findings { margin: .6rem 0 0; padding: 0; list-style: none; } .findings li { margin: .35rem 0; padding: .25rem .7rem;
  color: var(--ink); border-left: .35rem solid var(--state); } .findings bdi { font-weight: 600; }

#changes bdi { font-weight: 400; } .findings i { display: block; font-style: normal; }
.findings i::before { content: "→ "; color: var(--soft); }
.findings code { display: block; max-height: 6rem; overflow: hidden; color: var(--soft);
  font: .8rem/1.45 ui-monospace, monospace; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .3rem 1rem; margin: .5rem 0; }
dt { font-weight: 600; } dd { margin: 0; white-space: pre-line; min-width: 0; }
@media (min-width: 75rem) { #certificates, #queues { float: left; width: calc(50% - .75rem); }
  #queues { margin-left: 1.5rem; } #queues + *, #certificates + :not(#queues) { clear: both; padding-top: 2.25rem; } }
@media (max-width: 40rem) { .rest { display: none; } th, td { padding: .3rem .4rem; }
  td svg.bar { width: 4.5rem; } .grid tbody th { position: static; } .tiles { gap: .5rem;
  grid-template-columns: repeat(3, 1fr); } .tiles li { padding: .3rem .6rem .5rem; } .tiles b { font-size: 1.4rem; }
  .tiles small { display: none; } dl { grid-template-columns: 1fr; gap: 0; } dd { margin-bottom: .4rem; }
  article { padding: .7rem .75rem; } }
@media print { form, nav, .skip, .copy, .more { display: none; } .wide { overflow: visible; max-height: none; }
  .large article { content-visibility: visible; } article, tr { break-inside: avoid-page; } body { max-width: none; }
  details::details-content { content-visibility: visible; block-size: auto; } .findings code { max-height: none; }
  .grid thead th, .grid tbody th, thead th { position: static; } svg, .critical { print-color-adjust: exact; } }
"""
_HIDDEN = ", ".join(f'[data-hide~="{state.value}"] li.{state.value}' for state in State)
_LETTERS = " ".join(f'.grid .{state.value}::before {{ content: "{letter}"; }}' for state, letter in LETTERS.items())
STYLE = f"{_LOOK}{_LETTERS}\n{_HIDDEN} {{ display: none; }}\n"

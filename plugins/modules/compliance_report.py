#!/usr/bin/python
# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Judge mail hosts by what was collected, and write reports; the action plugin of the same name does it."""

from __future__ import annotations

DOCUMENTATION = r"""
module: compliance_report
short_description: Judge mail hosts by collected evidence, and write reports
version_added: 0.1.0
author:
  - The mailops.smtp authors (@mailops)
description:
  - Judges hosts by each control of the catalogue (C(docs/controls.md)), from evidence alone, and asks nothing. The role
    C(mailops.smtp.compliance) collects the evidence and calls this module once.
  - Judges evidence that an earlier run has saved, offline, and tells what changed since the last report.
  - What could not be seen is never a pass. A host about which nothing is known is an error in the report.
extends_documentation_fragment:
  - mailops.smtp._attributes
attributes:
  action:
    description: Runs on the controller.
    support: full
  check_mode:
    support: full
    details: Judges the same, and writes no file.
  diff_mode:
    support: none
  idempotent:
    support: full
options:
  hosts:
    description: Hosts that the report must have. One about which nothing was collected is an error in it.
    type: list
    elements: str
    default: []
  collected:
    description:
      - What was collected about each host, as the filter P(mailops.smtp.compliance_collected#filter) returns it.
    type: list
    elements: raw
    default: []
  evidence:
    description: Directory of an earlier run, or one of its files of evidence, to judge in place of O(collected).
    type: path
  directory:
    description:
      - Directory on the controller for the reports, with the evidence below it. Without it, no file is written.
      - The files are replaced in one step, and only their owner can read them.
    type: path
  formats:
    description: Formats to write. V(json) is always written, for the next run to compare with.
    type: list
    elements: str
    choices: [json, html, junit, sarif, hdf, openmetrics, markdown, text]
    default: [json, html, junit, markdown]
  waivers:
    description: Failures that their owners accept, as C(compliance_waivers) of the role describes them.
    type: raw
    default: []
  fail_on:
    description: The least severity of a failure, or of what could not be decided, with which the task fails.
    type: str
    choices: [critical, high, medium, low, never]
    default: high
  previous:
    description: A JSON report to compare with. By default, the one that is in O(directory).
    type: path
  title:
    description: Title of the report.
    type: str
    default: Compliance of mail hosts
seealso:
  - module: mailops.smtp.postfix_info
  - module: mailops.smtp.smtp_info
  - module: mailops.smtp.mail_dns_info
"""

EXAMPLES = r"""
- name: Judge saved evidence again, with other waivers
  mailops.smtp.compliance_report:
    evidence: compliance
    waivers: "{{ lookup('ansible.builtin.file', 'waivers.yml') | from_yaml }}"
    fail_on: critical
  delegate_to: localhost
"""

RETURN = r"""
msg:
  description: What the run comes to, in a sentence.
  type: str
  returned: always
  sample: 2 findings of severity high or above failed.
exit_code:
  description: V(0) fine, V(1) failures, V(2) not decided, V(3) a mistake in the options.
  type: int
  returned: always
  sample: 1
counts:
  description: How many findings there are in each state.
  type: dict
  returned: unless the options have a mistake
  sample: {fail: 2, error: 0, waived: 1, not_checked: 9, pass: 50, not_applicable: 3}
lines:
  description: The report for a terminal.
  type: list
  elements: str
  returned: unless the options have a mistake
files:
  description: The files that were written.
  type: list
  elements: str
  returned: unless the options have a mistake
differences:
  description: What changed since the report of O(previous); null without one.
  type: dict
  returned: unless the options have a mistake
"""

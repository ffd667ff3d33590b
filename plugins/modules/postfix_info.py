#!/usr/bin/python
# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Collect facts about Postfix."""

from __future__ import annotations

DOCUMENTATION = r"""
module: postfix_info
short_description: See what a host's Postfix is, and follow a message through it
version_added: 0.1.0
author:
  - The mailops.smtp authors (@mailops)
description:
  - Returns the version of Postfix, its map types and the parameters that are set. A host without Postfix, or with one
    that is not configured yet, is an answer too.
  - Follows one message through every queue of the host until it left, through content filters and aliases too, and
    tells each hop. Fails with the log line, its meaning and what to do when the message was not taken.
  - Reads the file that Postfix writes by itself (C(maillog_file)), or else the journal, or else C(/var/log/mail.log)
    or C(/var/log/maillog).
extends_documentation_fragment:
  - mailops.smtp._attributes
attributes:
  check_mode:
    support: full
    details: Changes nothing.
  diff_mode:
    support: none
  idempotent:
    support: full
options:
  trace:
    description: Queue ID of a message to follow, as in RV(mailops.smtp.smtp_send#module:queue_id).
    type: str
  timeout:
    description:
      - Seconds to wait until the message left the host.
      - A message that was deferred is waited for only where Postfix's next attempt may come in time, which is never
        sooner than its C(minimal_backoff_time) (five minutes by default), and may end otherwise.
    type: float
    default: 60.0
"""

EXAMPLES = r"""
- name: Send a message through this relay
  mailops.smtp.smtp_send:
    host: 127.0.0.1
    tls: none
    from: postmaster@example.com
    to: postmaster@example.net
    subject: Hello
  register: proof

- name: See that it left
  mailops.smtp.postfix_info:
    trace: "{{ proof.queue_id }}"
  register: way

- name: Tell each hop
  ansible.builtin.debug:
    msg: "{{ way.hops | map(attribute='summary') }}"
"""

RETURN = r"""
installed:
  description: Whether Postfix is installed.
  type: bool
  returned: always
version:
  description: Version of Postfix; null where it is not installed.
  type: str
  returned: always
  sample: 3.10.5
parameters:
  description: Parameters set in main.cf; empty where there is none that Postfix can read.
  type: dict
  returned: always
map_types:
  description: Types of tables that this Postfix knows.
  type: list
  elements: str
  returned: always
  sample: [btree, cidr, hash, lmdb, pcre]
hops:
  description: The last attempt for each recipient, under each queue ID that the message had on this host.
  type: list
  elements: dict
  returned: with O(trace)
  contains:
    queue_id:
      description: The name of the message on this host at this hop.
      type: str
    recipient:
      description: Address; empty where the hop concerns the whole message, as with V(held).
      type: str
    orig_recipient:
      description: The address as it was given, where an alias has changed it.
      type: str
    status:
      description:
        - V(sent), V(deferred), V(bounced) or what else Postfix says of a delivery.
        - V(held), V(discarded), V(deleted) or V(expired) where that became of the message.
      type: str
    relay:
      description: The next server, or V(none).
      type: str
      sample: smtp.example.com[192.0.2.1]:587
    tls:
      description:
        - Protocol and cipher of the connection to the next server, and C(certificate) as V(verified),
          V(trusted) (its authority only), V(untrusted) or V(anonymous).
        - Null where Postfix logged no TLS.
      type: dict
    delays:
      description: Seconds before the queue manager, in it, connecting, and sending.
      type: str
      sample: 0.01/0.03/0.02/0.01
    dsn:
      description: Enhanced status code.
      type: str
    text:
      description: What the next server replied, or what Postfix said.
      type: str
    next_queue_id:
      description: The name of the message at the next server, where it told.
      type: str
    notification_id:
      description: Queue ID of the message that tells the sender of the failure.
      type: str
    time:
      description: When, as ISO 8601 in UTC, or as a log file has it.
      type: str
    line:
      description: The log line without its head.
      type: str
    summary:
      description: The hop in one line.
      type: str
      sample: "relay.example.com -> smtp.example.com[192.0.2.1]:587 (TLSv1.3, verified): 250 2.0.0 Ok: queued as 4dDwwC"
    advice:
      description: What the line means and what to do; empty where the message was taken.
      type: str
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._module.postfix import ARGUMENTS, run_info


def main() -> None:
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    run_info(module)


if __name__ == "__main__":
    main()

#!/usr/bin/python
# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Collect facts about Postfix."""

from __future__ import annotations

DOCUMENTATION = r"""
module: postfix_info
short_description: Collect facts about a host's Postfix and follow a message through it
version_added: 0.1.0
author:
  - The mailops.smtp authors (@mailops)
description:
  - Returns the version and the parameters that differ from Postfix's defaults.
  - Follows one message through the journal until it left the queue, and fails with what the next server said when it
    was not taken.
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
    description: Seconds to wait until the message left the queue.
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
"""

RETURN = r"""
version:
  description: Version of Postfix.
  type: str
  returned: always
  sample: 3.10.5
parameters:
  description: Parameters set in main.cf.
  type: dict
  returned: always
deliveries:
  description: The last attempt for each recipient of the message.
  type: list
  elements: dict
  returned: with O(trace)
  contains:
    recipient:
      description: Address.
      type: str
    status:
      description: V(sent), V(deferred), V(bounced) or what else Postfix says.
      type: str
    relay:
      description: The next server.
      type: str
      sample: smtp.example.com[192.0.2.1]:587
    dsn:
      description: Enhanced status code.
      type: str
    text:
      description: What the next server replied.
      type: str
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._module.postfix import ARGUMENTS, run_info


def main() -> None:
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    run_info(module)


if __name__ == "__main__":
    main()

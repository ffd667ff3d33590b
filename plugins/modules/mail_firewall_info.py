#!/usr/bin/python
# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""See which firewall can enforce the rules of the mail ports."""

from __future__ import annotations

DOCUMENTATION = r"""
module: mail_firewall_info
short_description: Find the firewall of a host that can enforce the rules of the mail ports
version_added: 0.1.0
author:
  - The mailops.smtp authors (@mailops)
description:
  - Returns the firewall that the role C(mailops.smtp.relay) uses on a host, and the reason if it cannot be used. Turns
    no firewall on and changes nothing.
  - A firewall cannot be used if it is not active, if another active firewall overrules it, or if another chain of the
    host refuses clients of O(ports) for certain, by its policy or by a rule, in nftables, iptables or its legacy form.
  - What the module does not understand, such as limits and marks, counts as if it let clients in. Packet filters
    outside the host are not seen. M(mailops.smtp.mail_port_info) shows what a client finds.
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
  backend:
    description:
      - The firewall to use.
      - V(auto) uses firewalld if it runs, or else ufw if it is enabled, or else nftables.
    type: str
    choices: [auto, firewalld, ufw, nftables]
    default: auto
  ports:
    description: Ports that other chains must not close. Without it, other chains are not judged.
    type: list
    elements: dict
    default: []
    suboptions:
      port:
        description: TCP port.
        type: int
        required: true
      from:
        description:
          - Addresses and networks that may connect. By default, any; then only chains that refuse IPv4 altogether are a
            problem.
        type: list
        elements: str
        default: []
seealso:
  - module: mailops.smtp.mail_port_info
  - module: mailops.smtp.config_transaction
    description: Puts the rules in force, with O(mailops.smtp.config_transaction#module:activate[].firewall).
"""

EXAMPLES = r"""
- name: Choose the firewall
  mailops.smtp.mail_firewall_info:
    ports:
      - port: 25
      - port: 587
        from: [192.0.2.0/24]
  register: firewall
  become: true

- name: Stop unless it can be used
  ansible.builtin.assert:
    that: not firewall.problem
    fail_msg: "{{ firewall.problem }}"
"""

RETURN = r"""
backend:
  description: The firewall, one of V(firewalld), V(ufw) and V(nftables).
  type: str
  returned: always
  sample: nftables
active:
  description: Firewalls that are active on the host and decide about all of its ports, of V(firewalld) and V(ufw).
  type: list
  elements: str
  returned: always
  sample: []
problem:
  description:
    - Why RV(backend) cannot be used and what to do, in terms of the variable C(relay_firewall) of the role. Empty if it
      can be used.
    - Without root, the firewall cannot be changed, which is a problem too.
  type: str
  returned: always
  sample: ""
unread:
  description: Whether rules of nftables could not be read, since C(nft) is not installed. Those of iptables were.
  type: bool
  returned: always
  sample: false
ssh_from:
  description: The address of the SSH client, as this host sees it. Empty if the task did not come over SSH.
  type: str
  returned: always
  sample: 192.0.2.9
ssh_to:
  description: The address of this host that the SSH client is connected to. Empty if the task did not come over SSH.
  type: str
  returned: always
  sample: 192.0.2.1
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._module.firewall import ARGUMENTS, run_info


def main() -> None:
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    run_info(module)


if __name__ == "__main__":
    main()

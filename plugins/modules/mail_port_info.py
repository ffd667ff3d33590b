#!/usr/bin/python
# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""See which ports of a mail host are open, refused or filtered."""

from __future__ import annotations

DOCUMENTATION = r"""
module: mail_port_info
short_description: See which ports of a mail host are open, refused or filtered
version_added: 0.1.0
author:
  - The mailops.smtp authors (@mailops)
description:
  - Connects from the host that the task runs on to ports of another host, to all at the same time, and compares the
    result with the clients that each port is for. Sends nothing, and closes each connection at once.
  - A name with several addresses is tried at each of them. An address without a route is not tried.
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
  host:
    description: Name or address of the host to connect to.
    type: str
    required: true
  ports:
    description: Ports to connect to.
    type: list
    elements: dict
    required: true
    suboptions:
      port:
        description: TCP port.
        type: int
        required: true
      from:
        description: Addresses and networks that may connect. By default, any.
        type: list
        elements: str
        default: []
  fallback:
    description: Address to connect to if the name in O(host) does not resolve here.
    type: str
    default: ""
  seen_as:
    description:
      - The address that the other host sees, if it is known. If it is not the address that this host uses, and
        O(ports[].from) does not treat both the same, the port is not judged.
    type: str
    default: ""
  timeout:
    description: Seconds for all connections together.
    type: float
    default: 3.0
  on_closed:
    description:
      - Whether a port that is closed to this host, which may connect, is a warning or a failure. A network on the way
        can be the cause. The same for a name that does not resolve.
    type: str
    choices: [warn, fail]
    default: warn
  on_open:
    description: Whether a port that is open to this host, which may not connect, is a warning or a failure.
    type: str
    choices: [warn, fail]
    default: fail
seealso:
  - module: mailops.smtp.mail_firewall_info
"""

EXAMPLES = r"""
- name: See from the controller which ports are open
  mailops.smtp.mail_port_info:
    host: relay.example.com
    ports:
      - port: 25
      - port: 587
        from: [192.0.2.0/24]
  delegate_to: localhost
"""

RETURN = r"""
passed:
  description: Whether no port is open or closed to this host against O(ports[].from), and the name resolves.
  type: bool
  returned: always
  sample: true
ports:
  description: Each port at each address. Empty if the name does not resolve.
  type: list
  elements: dict
  returned: always
  contains:
    port:
      description: TCP port.
      type: int
      sample: 25
    address:
      description: The address that was tried.
      type: str
      sample: 192.0.2.1
    source:
      description: The address of this host that was used. Empty without a route.
      type: str
      sample: 192.0.2.9
    state:
      description:
        - V(open) if the connection was accepted; V(refused) if nothing listens there, or a packet filter rejects;
          V(filtered) if no answer came, or one that forbids; V(no route) if this host has no way to the address.
      type: str
      sample: open
    detail:
      description: What the system said of a connection that was not accepted.
      type: str
      sample: ""
    admitted:
      description: Whether this host may connect; null if that is not known.
      type: bool
      sample: true
    passed:
      description:
        - Whether the port is open to a host that may connect, or closed to one that may not; null if that is not known.
      type: bool
      sample: true
    summary:
      description: A sentence.
      type: str
      sample: Port 25 of 192.0.2.1 is open from 192.0.2.9, as declared.
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._module.ports import ARGUMENTS, run_ports


def main() -> None:
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    run_ports(module)


if __name__ == "__main__":
    main()

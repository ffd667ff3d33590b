# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The body of ``mail_firewall_info``: which firewall of the host can enforce the rules of the mail ports."""

from __future__ import annotations

import ipaddress
import typing as t

from ansible.module_utils.basic import AnsibleModule

from .._firewall.backends import BACKENDS
from .._firewall.choosing import AUTO, choose, may_change_firewalls
from .._firewall.rules import Network
from .environment import become_needed, settle

#: Shared with ``mail_port_info``.
PORTS: dict[str, t.Any] = {
    "type": "list",
    "elements": "dict",
    "default": [],
    "options": {
        "port": {"type": "int", "required": True},
        "from": {"type": "list", "elements": "str", "default": []},
    },
}
ARGUMENTS: dict[str, t.Any] = {
    "backend": {"type": "str", "choices": [AUTO, *BACKENDS], "default": AUTO},
    "ports": PORTS,
}


def run_info(module: AnsibleModule) -> None:
    """Choose, and change nothing."""
    settle()
    ports = read_ports(module, module.params["ports"])
    module.exit_json(changed=False, **look(module.params["backend"], ports))


def look(wanted: str, ports: t.Mapping[int, t.Collection[Network]]) -> dict[str, t.Any]:
    """Return the choice as a module returns it. Without root, nothing else about the firewall can be said."""
    choice = choose(wanted, ports)
    needed = "" if may_change_firewalls() else become_needed("change the firewall")
    return {**choice._asdict(), "problem": needed or choice.problem}


def read_ports(module: AnsibleModule, ports: t.Iterable[t.Mapping[str, t.Any]]) -> dict[int, list[Network]]:
    """Read the option ``ports``: the clients of each port. Fails the module if an address is not valid."""
    try:
        return {one["port"]: [ipaddress.ip_network(text) for text in one["from"]] for one in ports}
    except ValueError as error:
        module.fail_json(msg=f"ports: {error}; expected addresses and networks such as 192.0.2.0/24 in from")

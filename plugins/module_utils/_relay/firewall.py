# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the relay's listeners to the rules of its firewall, whichever program keeps them."""

from __future__ import annotations

import ipaddress
import typing as t

from .listeners import Listener
from .reader import Network

#: Ports that belong to mail; the firewall closes those that no listener declares.
MAIL_PORTS = (25, 465, 587)
SSH_PORT = 22

#: What programs call a version of the Internet Protocol: firewalld, nftables.
_FAMILIES: t.Mapping[int, tuple[str, str]] = {4: ("ipv4", "ip"), 6: ("ipv6", "ip6")}


def firewall_rules(listeners: t.Iterable[Listener]) -> list[dict[str, t.Any]]:
    """By port: who is let in, and then, unless that is everybody, that all others are refused. The first match decides.

    :returns: ``port``, ``accept``, and for one source ``source``, its ``family`` (``ipv4``, ``ipv6``), and as nftables
        writes it ``match``; these are empty where the rule is for everybody.
    """
    by_port = {listener.port: listener for listener in listeners}
    rules = []
    for port in sorted({*MAIL_PORTS, *by_port}):
        listener = by_port.get(port)
        if listener and not listener.sources:
            rules.append(_rule(port, True))
            continue
        if listener:
            rules += [_rule(port, True, source) for source in _merged(listener.sources)]
        rules.append(_rule(port, False))
    return rules


def firewall_problems(listeners: t.Iterable[Listener], ssh_port: int | None = None) -> list[str]:
    """What could cut the connection that Ansible uses.

    :param ssh_port: where Ansible reaches the host, if that is known.
    """
    return [
        f"relay_listeners: port {listener.port} is where Ansible reaches the host; expected a port of its own for mail"
        for listener in listeners
        if listener.port in (SSH_PORT, ssh_port)
    ]


def _rule(port: int, accept: bool, source: Network | None = None) -> dict[str, t.Any]:
    if source is None:
        return {"port": port, "accept": accept, "source": "", "family": "", "match": ""}
    written = str(source.network_address) if source.prefixlen == source.max_prefixlen else str(source)
    family, match = _FAMILIES[source.version]
    return {"port": port, "accept": accept, "source": written, "family": family, "match": f"{match} saddr {written} "}


def _merged(sources: t.Collection[Network]) -> list[Network]:
    """Without those that lie in another one."""
    over_4 = [source for source in sources if isinstance(source, ipaddress.IPv4Network)]
    over_6 = [source for source in sources if isinstance(source, ipaddress.IPv6Network)]
    return [*ipaddress.collapse_addresses(over_4), *ipaddress.collapse_addresses(over_6)]

# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the relay's listeners to the rules of its firewall."""

from __future__ import annotations

import typing as t

from .listeners import Listener

#: Ports that belong to mail; the firewall closes those that no listener declares.
MAIL_PORTS = (25, 465, 587)


def firewall_rules(listeners: t.Iterable[Listener]) -> dict[str, t.Any]:
    """Accept rules by port, and all ports that are closed to everybody else."""
    rules = []
    for listener in listeners:
        families = (("ip", 4), ("ip6", 6)) if listener.sources else ()
        for family, version in families:
            sources = [str(network) for network in listener.sources if network.version == version]
            if sources:
                rules.append({"port": listener.port, "match": f"{family} saddr {{ {', '.join(sources)} }} "})
        if not listener.sources:
            rules.append({"port": listener.port, "match": ""})
    ports = sorted({*MAIL_PORTS, *(listener.port for listener in listeners)})
    return {"accept": rules, "closed": ports}

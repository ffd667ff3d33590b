# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the role's variables declare: the ports, networks and domains that the judge compares with what was seen."""

from __future__ import annotations

import typing as t

from .._relay.listeners import LISTENER_DEFAULTS
from .case import Declared, DeclaredListener

#: Texts of YAML that mean false.
_FALSE = (False, "false", "False", "no", "No", "off")


def declared(variables: t.Mapping[str, t.Any]) -> Declared:
    """What a host's variables declare. One that is missing or null declares nothing.

    :param variables: variables of the roles ``relay`` and ``compliance``, by their names.
    """
    listeners = variables.get("compliance_listeners") or variables.get("relay_listeners")
    return Declared(
        listeners=None if listeners is None else tuple(map(declared_listener, listeners)),
        networks=_texts(variables.get("relay_networks")),
        egress=_texts(variables.get("compliance_addresses") or None),
        domains=_texts(variables.get("compliance_domains") or None),
        relay_domains=_texts(variables.get("relay_domains"), "name"),
    )


def declared_listener(value: t.Mapping[str, t.Any]) -> DeclaredListener:
    """A listener with the role's defaults for its port."""
    port = int(value["port"])
    tls, login = LISTENER_DEFAULTS.get(port, ("starttls", True))
    given = value.get("login")
    return DeclaredListener(
        port=port,
        tls=str(value.get("tls") or tls),
        login=login if given is None else given not in _FALSE,
        sources=_texts(value.get("from")) or (),
    )


def _texts(value: t.Any, key: str = "") -> tuple[str, ...] | None:
    """The texts of a list, or of ``key`` in its mappings. A single text counts as a list of one."""
    if value is None:
        return None
    items = value if isinstance(value, (list, tuple)) else [value]
    return tuple(str(one.get(key, "")) if isinstance(one, t.Mapping) else str(one) for one in items)

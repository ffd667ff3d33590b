# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Active tests after a walk, at the address that it found, with the connections that it left."""

from __future__ import annotations

import typing as t
from dataclasses import replace

from .._evidence.document import Unknown
from .._probes.probes import run_probes
from .walk import MOST_CONNECTIONS

if t.TYPE_CHECKING:
    from .._probes.lines import ProbeOptions
    from .._smtp.settings import ServerSettings
    from .questions import Answers


def with_probes(
    answers: Answers,
    settings: ServerSettings,
    names: t.Collection[str],
    options: ProbeOptions,
    connections: int | None = None,
) -> Answers:
    """Return the answers with what the named tests found.

    :param connections: how many the tests may open; None for what the walk left of :data:`MOST_CONNECTIONS`.
    """
    evidence = answers.evidence
    facts = evidence.facts
    if facts.address is None:
        unknown = [Unknown(f"probes.{name}", "Not reached: the server accepted no connection.") for name in names]
        return replace(answers, evidence=replace(evidence, unknown=(*evidence.unknown, *unknown)))
    left = max(0, MOST_CONNECTIONS - facts.connections_made) if connections is None else connections
    address = "" if settings.unix_socket or settings.proxy else facts.address
    versions = (facts.tls.version,) if facts.tls else ()
    active = replace(options, address=address, connections=left, versions=versions)
    probes, unknown = run_probes(settings, names, active)
    made = facts.connections_made + probes.connections
    facts = replace(facts, probes=probes, connections_made=made)
    return replace(answers, evidence=replace(evidence, facts=facts, unknown=(*evidence.unknown, *unknown)))

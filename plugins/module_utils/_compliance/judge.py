# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Judge a host: each control of the catalogue by its function, from evidence alone. Pure: nothing is asked here."""

from __future__ import annotations

import typing as t

from .._controls.catalogue import CONTROLS
from .._controls.control import Control, Profile
from .._controls.finding import Finding
from .._evidence.document import Evidence
from . import (
    judge_auth,
    judge_dns,
    judge_host,
    judge_joined,
    judge_keys,
    judge_proof,
    judge_relay,
    judge_smtp,
    judge_tls,
)
from .case import Case, Judges, Target, guarded
from .profiles import choose

#: The function of each control. A control without one gives the reason in its row (``not_implemented``).
JUDGES: Judges = {
    **judge_dns.JUDGES,
    **judge_joined.JUDGES,
    **judge_keys.JUDGES,
    **judge_host.JUDGES,
    **judge_tls.JUDGES,
    **judge_auth.JUDGES,
    **judge_relay.JUDGES,
    **judge_smtp.JUDGES,
    **judge_proof.JUDGES,
}


class Judgement(t.NamedTuple):
    """What was found on one host."""

    findings: list[Finding]
    profiles: tuple[Profile, ...]
    #: Why these profiles, in a sentence.
    reason: str


def judge(evidence: t.Iterable[Evidence[t.Any]], target: Target, shared: dict[t.Any, t.Any] | None = None) -> Judgement:
    """Judge a host by all controls of the catalogue.

    :param evidence: documents about the host, its domains and its ports, of any kinds. What is missing is never a pass.
    :param shared: a dict, the same for all hosts of a run. What is found in a document that several hosts share, such
        as that of their domain, is found once. The documents have to stay in memory.
    """
    case = Case(target, evidence, shared)
    case.profiles, reason = choose(case)
    findings = [finding for control in CONTROLS for finding in _judge_control(case, control)]
    return Judgement(findings, case.profiles, reason)


def _judge_control(case: Case, control: Control) -> list[Finding]:
    host = case.target.host
    if not set(case.profiles) & set(control.profiles):
        message = f"{control.id} is not meant for a host of profile {named(case.profiles)}."
        return [control.not_applicable(host, message)]
    if control.id not in JUDGES:
        reason = control.not_implemented or f"{control.id} is not judged by this version."
        return [control.not_checked(host, reason, control.by_hand)]
    nothing = control.not_checked(host, f"The evidence has nothing by which {control.id} is judged.", control.by_hand)
    try:
        return guarded(JUDGES[control.id], case, control) or [nothing]
    except (ValueError, TypeError, LookupError, AttributeError) as error:  # evidence that was edited, or is damaged
        reason = f"the evidence has a value that no version of it can have ({type(error).__name__})"
        return [control.undecided(host, reason)]


def named(profiles: t.Iterable[Profile]) -> str:
    """Profiles as a report names them, such as ``submission_relay, mx``."""
    return ", ".join(profile.value for profile in profiles)

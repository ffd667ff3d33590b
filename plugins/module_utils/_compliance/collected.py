# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What was collected about one host: its evidence, what it declares, and what could not be asked. Saved as JSON."""

from __future__ import annotations

import dataclasses
import json
import typing as t

from .._controls.control import EvidenceKind, Profile
from .._evidence.document import Evidence, plain
from .._evidence.reading import InvalidEvidence, read, read_record
from .case import Declared, Target
from .proving import proof_of

#: What a result of a task is, as Ansible registers it.
Result = t.Mapping[str, t.Any]

#: The longest text of a problem that is kept: an error of a connection may have pages.
_LONGEST = 500


@dataclasses.dataclass(frozen=True)
class Head:
    """What is known about a host beside its evidence."""

    #: Its name in the inventory.
    host: str
    profiles: tuple[Profile, ...] = ()
    declared: Declared = dataclasses.field(default_factory=Declared)
    #: Why evidence of a kind could not be collected at all, by its kind.
    unseen: dict[str, str] = dataclasses.field(default_factory=dict)
    #: What could not be asked, in sentences.
    problems: tuple[str, ...] = ()

    @property
    def partial_problems(self) -> tuple[str, ...]:
        """The problems of those kinds of evidence of which other questions were answered."""
        unseen = tuple(_NAMES[kind] for kind in self.unseen if kind in _NAMES)
        return tuple(one for one in self.problems if not one.startswith(unseen))


@dataclasses.dataclass(frozen=True)
class Collected:
    """All that a host is judged by."""

    head: Head
    evidence: tuple[Evidence[t.Any], ...] = ()

    @property
    def target(self) -> Target:
        """The host, as the judge takes it."""
        unseen = {EvidenceKind(kind): reason for kind, reason in self.head.unseen.items()}
        return Target(self.head.host, self.head.profiles, self.head.declared, unseen)

    def to_dict(self) -> dict[str, t.Any]:
        """The document: dicts, lists, texts, numbers and None."""
        return {**plain(self.head), "evidence": [one.to_dict() for one in self.evidence]}


def read_collected(document: t.Any) -> Collected:
    """Read a document of :meth:`Collected.to_dict`. Raises :class:`InvalidEvidence`."""
    if not isinstance(document, t.Mapping) or "host" not in document:
        raise InvalidEvidence("expected what the role compliance collected about a host, with host and evidence")
    evidence = document.get("evidence")
    if not isinstance(evidence, (list, tuple)):
        raise InvalidEvidence("evidence: expected a list of documents")
    head = read_record({key: value for key, value in document.items() if key != "evidence"}, Head)
    unknown = [kind for kind in head.unseen if kind not in [one.value for one in EvidenceKind]]
    if unknown:
        raise InvalidEvidence(
            f"unseen: {unknown[0][:60]!r} is not one of {', '.join(one.value for one in EvidenceKind)}"
        )
    return Collected(head, tuple(read(one) for one in evidence))


def loads_collected(text: str | bytes) -> Collected:
    """Read a saved document. Raises :class:`InvalidEvidence`."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidEvidence(f"not valid JSON: {error}") from error
    return read_collected(document)


def from_results(head: Head, results: t.Mapping[str, Result | None], server: str = "") -> dict[str, t.Any]:
    """What tasks have collected, as :func:`read_collected` takes it. Without evidence, a result is a problem.

    :param results: each of a task, or of a loop, or ``None`` if it was skipped: ``host`` of postfix_info, ``dns`` of
        mail_dns_info, ``smtp`` of smtp_info, ``sent`` of smtp_send, ``traced`` of postfix_info, ``mailbox`` of
        mail_arrival_info.
    :param server: the name by which the host was asked over SMTP.
    """
    each = {name: [one for one in _each(results.get(name)) if not one.get("skipped")] for name in _TASKS}
    # what an account sees of a port is a proof; the port itself is judged as strangers see it
    proofs = [one for one in each["smtp"] if one["item"]["proof_only"]]
    each["smtp"] = [one for one in each["smtp"] if not one["item"]["proof_only"]]
    evidence, unseen, problems = [], {}, []
    for kind, name in _NAMES.items():
        evidence += [one["evidence"] for one in each[kind] if one.get("evidence")]
        failed = [_reason(one) for one in each[kind] if not one.get("evidence")]
        problems += [f"{name} {reason}" for reason in failed]
        if failed and len(failed) == len(each[kind]):
            unseen[kind] = failed[0]
    if proofs or each["sent"]:
        mailbox = next(iter(each["mailbox"]), None)
        evidence.append(proof_of(server or head.host, proofs, each["sent"], each["traced"], mailbox).to_dict())
    known = dataclasses.replace(head, unseen=unseen, problems=(*head.problems, *dict.fromkeys(problems)))
    return {**plain(known), "evidence": evidence}


_TASKS = ("host", "dns", "smtp", "sent", "traced", "mailbox")
_NAMES = {
    "host": "The host could not be asked:",
    "dns": "The DNS could not be asked:",
    "smtp": "A port could not be asked:",
}


def _each(result: Result | None) -> list[Result]:
    if not result:
        return []
    return list(result["results"]) if isinstance(result.get("results"), (list, tuple)) else [result]


def _reason(result: Result) -> str:
    """Why a task has no evidence, on one line."""
    label = str(result.get("_ansible_item_label") or "")
    text = " ".join(str(result.get("msg") or "the task gave no result").replace("Task failed: ", "", 1).split())
    cut = text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."
    return f"{label}: {cut}" if label and label not in cut else cut

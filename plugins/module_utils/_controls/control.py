# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The type of a control: a row of the catalogue, from which findings are made."""

from __future__ import annotations

import dataclasses
import enum
import functools

from .finding import Finding, FindingStatus, Severity
from .source import Source


class Profile(str, enum.Enum):
    """What a mail host is there for. A control applies to a host by its profile."""

    NULL_CLIENT = "null_client"
    SUBMISSION_RELAY = "submission_relay"
    OUTBOUND_RELAY = "outbound_relay"
    MX = "mx"


#: Profiles as the rows name them.
ALL = tuple(Profile)
RELAYS = (Profile.SUBMISSION_RELAY, Profile.OUTBOUND_RELAY, Profile.MX)
SENDING_RELAYS = (Profile.SUBMISSION_RELAY, Profile.OUTBOUND_RELAY)
SUBMISSION = (Profile.SUBMISSION_RELAY,)
MX_HOST = (Profile.MX,)


class EvidenceKind(str, enum.Enum):
    """Where the evidence for a control comes from: a document of this kind."""

    DNS = "dns"
    SMTP = "smtp"
    HOST = "host"
    PROOF = "proof"


#: What to do if evidence of a kind could not be had.
_TRY_AGAIN = {
    EvidenceKind.DNS: "Check the name servers, then run this again.",
    EvidenceKind.SMTP: "Check that the server answers, then run this again.",
    EvidenceKind.HOST: "Check the connection to the host and its permissions, then run this again.",
    EvidenceKind.PROOF: "Look for the message in the logs, then run this again.",
}


@dataclasses.dataclass(frozen=True)
class Need:
    """Evidence that a control needs."""

    kind: EvidenceKind
    #: Paths below the facts, such as ``mx`` or ``probes.relay``.
    groups: tuple[str, ...]


def from_dns(*groups: str) -> Need:
    """Facts of the DNS, as ``mail_dns_info`` returns them."""
    return Need(EvidenceKind.DNS, groups)


def from_smtp(*groups: str) -> Need:
    """Facts of a server, as ``smtp_info`` returns them."""
    return Need(EvidenceKind.SMTP, groups)


def from_host(*groups: str) -> Need:
    """Facts of a host, as ``postfix_info`` returns them."""
    return Need(EvidenceKind.HOST, groups)


def from_proof(*groups: str) -> Need:
    """Logins that were tried, and messages that were sent and followed, as the role ``compliance`` collects them."""
    return Need(EvidenceKind.PROOF, groups)


class Effect(str, enum.Enum):
    """What a conflict with a standard means for the requirement of that standard."""

    #: The requirement is not meant for such a host.
    NOT_APPLICABLE = "not_applicable"
    #: The requirement is meant for such a host, which cannot meet it: a waiver has to say why.
    WAIVER = "waiver"


@dataclasses.dataclass(frozen=True)
class Conflict:
    """Requirements that contradict what a host of these profiles is there for, or that others contradict."""

    sources: tuple[Source, ...]
    profiles: tuple[Profile, ...]
    effect: Effect
    #: The text of a waiver, or the reason why the requirement does not apply, in sentences.
    reason: str


@dataclasses.dataclass(frozen=True)
class Control:
    """A requirement, with a constructor for each status of its findings."""

    #: Stable, such as ``MR-DNS-03``.
    id: str
    #: The requirement in a clause without a full stop.
    title: str
    severity: Severity
    #: Why it matters, in one or two sentences.
    rationale: str
    sources: tuple[Source, ...]
    profiles: tuple[Profile, ...]
    #: Without the first, nothing can be judged.
    needs: tuple[Need, ...]
    #: How to meet it without the role, in one or two sentences.
    by_hand: str
    #: Role variables that fix it, such as ``relay_listeners[].tls``. Empty if no variable of the role does.
    variables: tuple[str, ...] = ()
    #: 2 for an optional control.
    level: int = 1
    conflicts: tuple[Conflict, ...] = ()
    #: Why it is not evaluated, in a sentence. Empty if it is.
    not_implemented: str = ""

    @functools.cached_property
    def source(self) -> str:
        """The RFCs behind the control, or else its other sources."""
        return ", ".join([str(one) for one in self.sources if one.is_rfc] or map(str, self.sources))

    def passed(self, subject: str, message: str) -> Finding:
        """The subject meets the control."""
        return self._finding(FindingStatus.PASS, subject, message)

    def failed(self, subject: str, message: str, remedy: str) -> Finding:
        """The subject does not meet the control."""
        return self._finding(FindingStatus.FAIL, subject, message, remedy)

    def undecided(self, subject: str, reason: object, kind: EvidenceKind | None = None) -> Finding:
        """The evidence could not be had; ``reason`` is a clause, or an error whose text is one.

        :param kind: of which kind the evidence is, if not the first that the control needs.
        """
        message = f"{subject} could not be judged: {reason}."
        return self._finding(FindingStatus.ERROR, subject, message, _TRY_AGAIN[kind or self.needs[0].kind])

    def not_checked(self, subject: str, message: str, remedy: str) -> Finding:
        """A value that the check needs is not known."""
        return self._finding(FindingStatus.NOT_CHECKED, subject, message, remedy)

    def not_applicable(self, subject: str, message: str) -> Finding:
        """The control does not apply to this subject."""
        return self._finding(FindingStatus.NOT_APPLICABLE, subject, message)

    def _finding(self, status: FindingStatus, subject: str, message: str, remedy: str = "") -> Finding:
        return Finding(self.id, status, self.severity, subject, message, remedy, self.source)


#: The rows of one file of the catalogue.
Rows = tuple[Control, ...]

# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which TLS versions and weak cipher suites the server accepts, with as few connections as can tell.

A server chooses the highest version that it shares with the client, and a suite that it accepts. So one refusal of all
suites up to TLS 1.1 answers for each older version, and one refusal of all weak suites for each group of them.
"""

from __future__ import annotations

import dataclasses
import typing as t

from .._evidence.smtp_probes import HandshakeFacts, TlsOfferFacts, TlsVersionFacts
from .._smtp.errors import Stage
from .._x509.certificate import read_certificate
from .hello import NotTls, ServerAnswer, client_hello, read_answer
from .line import NotKnown
from .suites import SUITES, SUITES_1_3, VERSIONS, WEAK, weak_groups

if t.TYPE_CHECKING:
    from .line import Line
    from .lines import Lines, ProbeOptions

_OLD = ("TLSv1.1", "TLSv1.0", "SSLv3")
#: Groups to ask for together; most servers accept CBC, which would hide the others.
_TOGETHER: tuple[tuple[str, ...], ...] = (tuple(one for one in WEAK if one != "CBC"), ("CBC",))
_NO_VERSION = "alert protocol_version"
_CLOSED = "it closed the connection"


def probe_tls(lines: Lines, options: ProbeOptions) -> TlsOfferFacts:
    """Ask for each version and each weak group.

    :raises NotKnown: the server has no TLS.
    """
    del options
    asking = _Asking(lines)
    asking.ask_all()
    return asking.facts()


class _Asking:
    def __init__(self, lines: Lines) -> None:
        self._lines = lines
        self._name = lines.settings.tls.server_name or lines.settings.host
        # the TLS library of this host has opened sessions before
        self._accepted: dict[str, bool | None] = {one: one in lines.versions or None for one in VERSIONS}
        self._weak: dict[str, dict[str, bool | None]] = {version: {} for version in VERSIONS}
        self._handshakes: list[HandshakeFacts] = []
        self._certificate: bytes | None = None
        self._reason: Exception | None = None

    def ask_all(self) -> None:
        """Ask until all is known or no connection is left."""
        try:
            self._ask_old()
            self._ask_weak("TLSv1.2")
            self._ask_newest("TLSv1.3")
            for version in _OLD:
                if self._accepted[version]:
                    self._ask_weak(version)
            if self._accepted["TLSv1.2"] and not self._certificate:
                self._ask_strong("TLSv1.2")
        except NotKnown as error:
            if not self._handshakes:
                raise
            self._reason = error

    def _ask_old(self) -> None:
        """Ask for the old versions: the server's choice says that it accepts none between it and the offer."""
        rest = list(_OLD)
        while rest:
            chosen = self._ask(rest[0], SUITES, f"up to {rest[0]}").version
            while rest and rest[0] != chosen:
                self._accepted[rest.pop(0)] = False
            if rest:
                self._accepted[rest.pop(0)] = True

    def _ask_newest(self, version: str) -> None:
        self._weak[version] = dict.fromkeys(WEAK, False)  # it has none
        if self._accepted[version] is None:
            self._accepted[version] = self._ask(version, SUITES_1_3, version).version == version

    def _ask_weak(self, version: str) -> None:
        known = self._weak[version]
        known.update(dict.fromkeys(WEAK))
        for together in _TOGETHER:
            rest = set(together)
            while rest:
                suites = [number for number, name in SUITES.items() if rest.intersection(weak_groups(name))]
                label = f"{version} {' '.join(one for one in WEAK if one in rest)}"
                answer = self._ask(version, suites, label)
                if answer.version not in (version, None) or answer.refusal == _NO_VERSION:
                    self._accepted[version] = False
                    return
                if answer.version is None:
                    known.update(dict.fromkeys(rest, False))
                    break
                self._accepted[version] = True
                found = rest.intersection(weak_groups(answer.cipher or ""))
                if not found:
                    raise NotKnown(f"the server chose {answer.cipher}, which was not offered")
                known.update(dict.fromkeys(found, True))
                rest -= found
        if self._accepted[version] is None:
            self._accepted[version] = self._ask_strong(version).version == version

    def _ask_strong(self, version: str) -> ServerAnswer:
        strong = [number for number, name in SUITES.items() if not weak_groups(name)]
        return self._ask(version, strong, f"{version} strong")

    def _ask(self, version: str, suites: t.Collection[int], label: str) -> ServerAnswer:
        line = self._before_tls()
        line.send(client_hello(version, suites, self._name))
        try:
            answer = read_answer(line.receive)
        except NotTls as error:
            raise NotKnown(f"the answer to the ClientHello cannot be read: {error}") from error
        finally:
            line.drop()
        self._certificate = self._certificate or answer.certificate
        seen = (answer.version, answer.cipher, answer.group, answer.signature, answer.refusal)
        self._handshakes.append(HandshakeFacts(label, *seen, line.milliseconds))
        return answer

    def _before_tls(self) -> Line:
        if self._lines.implicit:
            return self._lines.bare()
        line = self._lines.clear(keep=False)
        if "STARTTLS" not in line.capabilities:
            raise NotKnown("the server does not offer STARTTLS")
        if line.ask("STARTTLS", Stage.STARTTLS).code >= 400:
            raise NotKnown(f'the server refuses STARTTLS: "{line.last}"')
        return line

    def facts(self) -> TlsOfferFacts:
        """Return what is known, and note what is not."""
        self._doubt()
        versions = []
        for number, (version, accepted) in enumerate(self._accepted.items()):
            weak = self._weak[version] if accepted is not False else {}
            weak = weak or dict.fromkeys(WEAK if accepted is not False else ())
            reason = self._reason or "the server closed each connection, which may have other reasons"
            if accepted is None:
                self._lines.note(f"tls.versions[{number}].accepted", reason)
            for group, known in weak.items():
                if known is None:
                    self._lines.note(f"tls.versions[{number}].weak.{group}", reason)
            versions.append(TlsVersionFacts(version, accepted, weak))
        facts = TlsOfferFacts(tuple(versions), tuple(self._handshakes))
        if not self._certificate:
            self._lines.note("tls.certificate", "no certificate was sent in clear, as in TLS 1.3")
            return facts
        try:
            return dataclasses.replace(facts, certificate=read_certificate(self._certificate))
        except ValueError as error:
            self._lines.note("tls.certificate", f"the certificate cannot be read: {error}")
            return facts

    def _doubt(self) -> None:
        """Forget what was concluded from closed connections, if nothing shows that the server has TLS at all."""
        if any(one.version for one in self._handshakes) or self._lines.versions:
            return
        if all(one.refusal == _CLOSED for one in self._handshakes):
            self._accepted = dict.fromkeys(VERSIONS)
            self._weak = {version: {} for version in VERSIONS}

# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From files of the host to the one text that Postfix reads, and whether Postfix may use it."""

from __future__ import annotations

import datetime
import re
import time
import typing as t

from .._evidence.document import seconds_of
from .._x509.certificate import certificate_names, covers, read_certificate, read_certificates
from . import tls
from .files import open_to_others, read_pem
from .places import Trouble

DAY = 86400.0
_BLOCK = re.compile(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----\n?", re.DOTALL)
_KEY = re.compile(r"-----BEGIN ((?:[A-Z0-9]+ )*PRIVATE KEY)-----.*?-----END \1-----\n?", re.DOTALL)
#: Whose clock says what is valid now. Both read files of certificates.
HOST, CONTROLLER = "this host", "the controller"
_CLOCKS: t.Mapping[str, str] = {
    HOST: "If the clock of this host is wrong, correct it ('timedatectl' shows whether it is synchronized).",
    CONTROLLER: "If the clock of the controller is wrong, correct it.",
}


class Certificate(t.NamedTuple):
    """The first certificate of a file.

    :ivar begins, ends: its dates, in seconds since 1970.
    """

    serial: str
    sha256: str
    begins: float
    ends: float
    names: tuple[str, ...]

    @property
    def life(self) -> float:
        return self.ends - self.begins


def candidate(source: t.Mapping[str, str]) -> str:
    """Join key and chain of the source, the key first: Postfix wants each key before its certificates (postconf(5))."""
    texts = {part: _text(part, path) for part, path in source.items()}
    chain, key = _BLOCK.findall(texts["chain"]), _KEY.search(texts["key"])
    if not chain:
        raise Trouble(f"{source['chain']}: has no certificate in PEM format; expected the certificate and its chain.")
    if not key:
        raise Trouble(
            f"{source['key']}: has no private key in PEM format; expected the key of the certificate. If it is in"
            " another file, set relay_tls.key_path."
        )
    if "ENCRYPTED" in key[0]:
        raise Trouble(
            f"{source['key']}: the key is encrypted, and Postfix cannot ask for its password; expected a key without"
            " one. Run 'openssl pkey' to write it without."
        )
    return "".join(block.rstrip("\n") + "\n" for block in (key[0], *chain))


def _text(part: str, path: str) -> str:
    """Read a file of the source, unless every user could replace it."""
    try:
        text, open_place = read_pem(path), open_to_others(path)
    except OSError as error:
        raise Trouble(
            f"{path}: {error.strerror}; expected a file of this host with the {'key' if part == 'key' else 'chain'}"
            " in PEM format. Create it, or correct relay_tls."
        ) from error
    if open_place:
        raise Trouble(
            f"{path}: every user of this host can write to {open_place}; expected that only its owner can. Run"
            f" 'chmod o-w {open_place}', and make sure that the key is still a secret."
        )
    return text


def judge(text: str, place: str, names: t.Iterable[str]) -> Certificate:
    """Return the certificate of a joined text if Postfix may use it.

    :param place: what to call the file in an error.
    """
    refused = tls.refusal(text)
    if "MISMATCH" in refused:
        raise Trouble(
            f"{place}: the key is not that of the certificate; expected the key that the certificate was requested"
            " with, and the relay's own certificate before its chain. The relay keeps the certificate it has."
        )
    if refused:
        raise Trouble(f"{place}: the certificate or its key is damaged: {refused}; expected both in PEM format.")
    found = certificate_of(text, place)
    if untimely := find_untimely(found):
        raise Trouble(f"{place}: {untimely}")
    for name in names:
        if not any(covers(one, name) for one in found.names):
            raise Trouble(
                f"{place}: the certificate is not for {name}, which clients connect to; expected one with that name."
                f" It is for {', '.join(found.names) or 'no name'}."
            )
    return found


def find_untimely(found: Certificate, owner: str = HOST) -> str:
    """Return what is wrong with the dates of a certificate, as the end of a sentence; empty if nothing is.

    :param owner: whose clock this is.
    """
    now = time.time()
    if found.begins > now:
        return (
            f"the certificate is valid from {moment(found.begins)}, and the clock of {owner} says {moment(now)},"
            f" {span(found.begins - now)} earlier; expected a certificate that is valid now. {_CLOCKS[owner]}"
        )
    if found.ends <= now:
        return (
            f"the certificate expired on {moment(found.ends)}, {span(now - found.ends)} ago; expected a certificate"
            f" that is valid now. Renew it. {_CLOCKS[owner]}"
        )
    return ""


def certificate_of(text: str, place: str) -> Certificate:
    """Return what the first certificate of a text says of itself.

    :param place: what to call the file in an error.
    """
    try:
        der = read_certificates(text)[0]
        facts = read_certificate(der)
        begins, ends = seconds_of(facts.not_before), seconds_of(facts.not_after)
        return Certificate(facts.serial.upper(), facts.sha256, begins, ends, certificate_names(der))
    except (ValueError, IndexError) as error:  # DerError is one of them
        raise Trouble(f"{place}: has no certificate that can be read: {error}. Renew it.") from error


def moment(seconds: float) -> str:
    return f"{datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc):%Y-%m-%d %H:%M} UTC"


def span(seconds: float) -> str:
    """Return a time in the unit that fits it."""
    for size, unit in ((DAY, "days"), (3600.0, "hours"), (60.0, "minutes")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} seconds"

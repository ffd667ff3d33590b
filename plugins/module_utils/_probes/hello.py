# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The beginning of a TLS handshake: a ClientHello that offers any version and suite, and the server's answer to it.

The TLS library of this host does not offer what is weak, so it cannot tell what a server would accept. No key is ever
agreed on (RFC 5246 section 7.4, RFC 8446 section 4).
"""

from __future__ import annotations

import dataclasses
import os
import re
import typing as t

from .suites import ALERTS, GROUPS, SIGNATURES, SUITES, SUITES_1_3, VERSIONS

#: Longest answer to read: certificate chains of servers have some kilobytes.
_LONGEST = 131072
_ALERT, _HANDSHAKE = 21, 22
_RECORDS = range(20, 25)
_SERVER_HELLO, _CERTIFICATE, _KEY_EXCHANGE, _DONE = 2, 11, 12, 14
_WARNING = 1
_SERVER_NAME, _GROUPS, _POINTS, _SIGNATURES, _VERSIONS, _KEY_SHARE = 0, 10, 11, 13, 43, 51
_X25519 = 0x001D
#: Shows that renegotiation is secure, without an extension (RFC 5746 section 3.3).
_SECURE_RENEGOTIATION = 0x00FF
_NAMES: t.Mapping[int, str] = {number: name for name, number in VERSIONS.items()}


class NotTls(ValueError):
    """The answer is not TLS, or endless; the text says what it is."""


@dataclasses.dataclass
class ServerAnswer:
    """What the server answered.

    :ivar version: the version that it chose.
    :ivar refusal: how it refused.
    :ivar certificate: its certificate in DER, if that is in clear.
    """

    version: str | None = None
    cipher: str | None = None
    group: str | None = None
    signature: str | None = None
    certificate: bytes | None = None
    refusal: str | None = None
    complete: bool = False


def client_hello(version: str, suites: t.Collection[int], name: str) -> bytes:
    """Return a ClientHello in one record.

    :param version: the highest to offer; TLSv1.3 offers no other.
    :param name: of the server, for SNI; empty or an address offers none.
    """
    number = VERSIONS[version]
    newest = version == "TLSv1.3"
    numbers = [*suites, *(() if newest else (_SECURE_RENEGOTIATION,))]
    body = b"".join(
        [
            _two(min(number, VERSIONS["TLSv1.2"])),
            os.urandom(32),
            _short(os.urandom(32) if newest else b""),
            _long(b"".join(map(_two, numbers))),
            _short(b"\0"),
            b"" if version == "SSLv3" else _long(b"".join(_extensions(newest, name))),
        ]
    )
    handshake = b"\1" + len(body).to_bytes(3, "big") + body
    return bytes([_HANDSHAKE]) + _two(min(number, VERSIONS["TLSv1.0"])) + _long(handshake)


def _extensions(newest: bool, name: str) -> t.Iterator[bytes]:
    if name and not re.search(r":|\.\d+\Z", name):
        yield _two(_SERVER_NAME) + _long(_long(b"\0" + _long(name.encode("ascii", "ignore"))))
    yield _two(_GROUPS) + _long(_long(b"".join(map(_two, GROUPS))))
    yield _two(_POINTS) + _long(_short(b"\0"))
    yield _two(_SIGNATURES) + _long(_long(b"".join(map(_two, SIGNATURES))))
    if newest:
        yield _two(_VERSIONS) + _long(_short(_two(VERSIONS["TLSv1.3"])))
        # any 32 octets are a public key of X25519 (RFC 7748 section 5)
        yield _two(_KEY_SHARE) + _long(_long(_two(_X25519) + _long(os.urandom(32))))


def _two(number: int) -> bytes:
    return number.to_bytes(2, "big")


def _short(data: bytes) -> bytes:
    return bytes([len(data)]) + data


def _long(data: bytes) -> bytes:
    return _two(len(data)) + data


def read_answer(receive: t.Callable[[], bytes]) -> ServerAnswer:
    """Read the answer to a ClientHello, up to the point where the client would have to go on.

    :param receive: waits for octets; none at the end of the stream.
    :raises NotTls: see the class.
    """
    answer = ServerAnswer()
    records, messages, total = b"", b"", 0
    while not answer.complete:
        data = receive()
        total += len(data)
        if not data:
            _refuse(answer, "it closed the connection")
            break
        if total > _LONGEST:
            raise NotTls(f"the answer is longer than {_LONGEST} octets")
        records += data
        while len(records) >= 5 and len(records) >= 5 + _number(records, 3):
            kind, size = records[0], _number(records, 3)
            content, records = records[5 : 5 + size], records[5 + size :]
            if kind == _ALERT:
                _read_alert(answer, content)
            elif kind == _HANDSHAKE:
                messages = _read_messages(answer, messages + content)
        if records and records[0] not in _RECORDS:
            raise NotTls(f"it is not TLS: {records[:60]!r}")
    return answer


def _read_alert(answer: ServerAnswer, content: bytes) -> None:
    level, kind = (*content[:2], 0, 0)[:2]
    if level != _WARNING or kind == 0:
        _refuse(answer, f"alert {ALERTS.get(kind, kind)}")


def _refuse(answer: ServerAnswer, how: str) -> None:
    if not answer.complete:
        answer.version, answer.refusal, answer.complete = None, how, True


def _read_messages(answer: ServerAnswer, data: bytes) -> bytes:
    """Read whole messages of the handshake, and return the rest."""
    while len(data) >= 4 and not answer.complete:
        size = int.from_bytes(data[1:4], "big")
        if size > _LONGEST:
            raise NotTls("a message of the handshake is too long")
        if len(data) < 4 + size:
            break
        kind, body, data = data[0], data[4 : 4 + size], data[4 + size :]
        try:
            _read_message(answer, kind, body)
        except IndexError:
            raise NotTls("a message of the handshake is damaged") from None
    return data


def _read_message(answer: ServerAnswer, kind: int, body: bytes) -> None:
    if kind == _SERVER_HELLO:
        _read_server_hello(answer, body)
    elif kind == _CERTIFICATE:
        size = int.from_bytes(body[3:6], "big")
        answer.certificate = body[6 : 6 + size] or None
    elif kind == _KEY_EXCHANGE:
        _read_key_exchange(answer, body)
    elif kind == _DONE:
        answer.complete = True


def _read_server_hello(answer: ServerAnswer, body: bytes) -> None:
    version = _number(body, 0)
    rest = body[35 + body[34] :]
    suite = _number(rest, 0)
    extensions = dict(_read_extensions(rest[5:]))
    version = _number(extensions[_VERSIONS], 0) if _VERSIONS in extensions else version
    answer.version = _NAMES.get(version, f"0x{version:04x}")
    answer.cipher = {**SUITES, **SUITES_1_3}.get(suite, f"0x{suite:04x}")
    if version >= VERSIONS["TLSv1.3"]:
        share = extensions.get(_KEY_SHARE, b"")
        answer.group = _group(_number(share, 0)) if share else None
        answer.complete = True


def _read_extensions(data: bytes) -> t.Iterator[tuple[int, bytes]]:
    while len(data) >= 4:
        size = _number(data, 2)
        yield _number(data, 0), data[4 : 4 + size]
        data = data[4 + size :]


def _read_key_exchange(answer: ServerAnswer, body: bytes) -> None:
    """Read the group, and the signature that follows the server's public key (RFC 5246 7.4.3, RFC 8422 5.4)."""
    cipher = answer.cipher or ""
    if cipher.startswith("TLS_EC"):
        answer.group = _group(_number(body, 1))
        rest = body[4 + body[3] :]
    elif cipher.startswith("TLS_DH"):
        size = _number(body, 0)
        answer.group = f"DH {int.from_bytes(body[2 : 2 + size], 'big').bit_length()}"
        rest = body
        for _part in ("p", "g", "public key"):
            rest = rest[2 + _number(rest, 0) :]
    else:  # the temporary RSA key of an export suite
        return
    if answer.version == "TLSv1.2" and "_anon" not in cipher:
        number = _number(rest, 0)
        answer.signature = SIGNATURES.get(number, f"0x{number:04x}")


def _group(number: int) -> str:
    return GROUPS.get(number, f"0x{number:04x}")


def _number(data: bytes, place: int) -> int:
    """Return the two octets at a place as a number. IndexError: there are none."""
    return data[place] << 8 | data[place + 1]

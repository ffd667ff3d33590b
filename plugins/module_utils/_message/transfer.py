# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Content transfer encodings: how octets get through a server (RFC 2045 section 6)."""

from __future__ import annotations

import binascii
import typing as t

#: RFC 5322 section 2.1.1.
_MAX_LINE = 998
#: RFC 2045 section 6.8.
_BASE64_LINE = 76


class Encoded(t.NamedTuple):
    """Octets as they stand in a message.

    :param encoding: value of Content-Transfer-Encoding.
    """

    encoding: str
    body: bytes


def with_crlf(text: str) -> str:
    """Line ends as RFC 5322 section 2.3 wants them, the last line ended."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    if text and not text.endswith("\n"):
        text += "\n"
    return text.replace("\n", "\r\n")


def encode_text_body(content: bytes) -> Encoded:
    """Text with CRLF line ends: as it is where every server takes that, encoded the shorter way otherwise."""
    plain = as_it_is(content)
    if plain:
        return plain
    quoted = binascii.b2a_qp(content, istext=True)
    encoded = encode_base64(content)
    return Encoded("quoted-printable", quoted) if len(quoted) <= len(encoded.body) else encoded


def as_it_is(content: bytes) -> Encoded | None:
    """Content that needs no encoding (RFC 2045 section 2.7), or None."""
    if b"\0" in content or not content.isascii():
        return None
    if len(content) > _MAX_LINE and max(map(len, content.split(b"\r\n"))) > _MAX_LINE:
        return None
    return Encoded("7bit", content)


def encode_base64(content: bytes) -> Encoded:
    """Any octets, in lines of 76 characters."""
    text = binascii.b2a_base64(content, newline=False)
    lines = [text[start : start + _BASE64_LINE] for start in range(0, len(text), _BASE64_LINE)]
    return Encoded("base64", b"\r\n".join([*lines, b""]))

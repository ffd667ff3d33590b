# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""MIME parts and their transfer encodings (RFC 2045, RFC 2046, RFC 2387)."""

from __future__ import annotations

import binascii
import functools
import secrets
import typing as t

from .charsets import UTF_8, Charset
from .headers import header_field, parameter

#: Longest line in octets, without CRLF (RFC 5322 section 2.1.1).
_MAX_LINE = 998
#: Characters in a line of base64 and of quoted-printable (RFC 2045 sections 6.7 and 6.8).
_MAX_ENCODED_LINE = 76


class Encoded(t.NamedTuple):
    """Octets in a transfer encoding.

    :param encoding: value of Content-Transfer-Encoding (RFC 2045 section 6).
    """

    encoding: str
    body: bytes


class Part(t.NamedTuple):
    """A MIME entity: its header fields and its body, both as the message contains them.

    :param body: in pieces, so that a large attachment is copied only once, into the message.
    """

    header: bytes
    body: tuple[bytes, ...]

    def pieces(self) -> tuple[bytes, ...]:
        return (self.header, b"\r\n", *self.body)


def text_part(text: str, subtype: str, charset: Charset = UTF_8, parameters: str = "", what: str = "body") -> Part:
    """Return a text part: unchanged if it is ASCII in short lines, otherwise in the shorter encoding.

    :param parameters: further parameters of Content-Type, already formatted.
    :param what: what the text is, for errors.
    :raises InvalidMessage: a character that the charset cannot represent.
    """
    if len(text) > _LARGE:
        return _text_part(text, subtype, charset, parameters, what)
    return _remembered_text_part(text, subtype, charset, parameters, what)


def _text_part(text: str, subtype: str, charset: Charset, parameters: str, what: str) -> Part:
    content = charset.encode(with_crlf(text), f"the {what}")
    encoding, body = encode_text_body(content)
    label = "us-ascii" if text.isascii() else charset.label
    return Part(_text_header(subtype, label, parameters, encoding), (body,))


#: Texts up to this many characters are cached, as the same text often goes to many recipients.
_LARGE = 256 * 1024
_remembered_text_part = functools.lru_cache(maxsize=8)(_text_part)


@functools.lru_cache(maxsize=64)
def _text_header(subtype: str, label: str, parameters: str, encoding: str) -> bytes:
    header = header_field("Content-Type", f"text/{subtype}{parameter('charset', label)}{parameters}")
    return header + header_field("Content-Transfer-Encoding", encoding)


def multipart(subtype: str, parts: t.Sequence[Part], parameters: str = "") -> Part:
    """Combine several parts into one; a single part is returned unchanged (RFC 2046 section 5.1)."""
    if len(parts) == 1:
        return parts[0]
    # "=_" cannot occur in base64 or quoted-printable; 96 random bits make a clash with other text improbable
    boundary = f"=_{secrets.token_hex(12)}"
    delimiter = f"--{boundary}\r\n".encode("ascii")
    body: list[bytes] = []
    for part in parts:
        body += (delimiter, *part.pieces(), b"\r\n")
    body.append(f"--{boundary}--\r\n".encode("ascii"))
    return Part(
        header_field("Content-Type", f"multipart/{subtype}{parameters}{parameter('boundary', boundary)}"), tuple(body)
    )


def related(html: Part, images: t.Sequence[Part]) -> Part:
    """Combine HTML with the images it shows (RFC 2387 section 3)."""
    return multipart("related", [html, *images], parameter("type", "text/html"))


def with_crlf(text: str) -> str:
    """Return text with CRLF line ends (RFC 5322 section 2.3), including one after the last line."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    if text and not text.endswith("\n"):
        text += "\n"
    return text.replace("\n", "\r\n")


def encode_text_body(content: bytes) -> Encoded:
    """Encode text with CRLF line ends: unchanged if every server accepts it, otherwise in the shorter encoding."""
    plain = as_it_is(content)
    if plain:
        return plain
    quoted = _encode_quoted_printable(content)
    encoded = encode_base64(content)
    return Encoded("quoted-printable", quoted) if len(quoted) <= len(encoded.body) else encoded


def _encode_quoted_printable(content: bytes) -> bytes:
    """Encode text with CRLF line ends (RFC 2045 section 6.7).

    binascii can exceed the line length near an encoded octet, such as white space at the end of a line.
    """
    lines = binascii.b2a_qp(content, istext=True).split(b"\r\n")
    return b"\r\n".join([line if len(line) <= _MAX_ENCODED_LINE else _split_quoted(line) for line in lines])


def _split_quoted(line: bytes) -> bytes:
    """Split a line of quoted-printable that is too long, but not within an encoded octet."""
    end = _MAX_ENCODED_LINE - 1
    octet = line.rfind(b"=", end - 2, end)
    end = end if octet < 0 else octet
    return line[:end] + b"=\r\n" + line[end:]


def as_it_is(content: bytes) -> Encoded | None:
    """Return content that needs no encoding as 7bit (RFC 2045 section 2.7), or None if it needs one."""
    if b"\0" in content or not content.isascii():
        return None
    if len(content) > _MAX_LINE and max(map(len, content.split(b"\r\n"))) > _MAX_LINE:
        return None
    return Encoded("7bit", content)


def encode_base64(content: bytes) -> Encoded:
    """Encode any octets in base64, in lines of 76 characters."""
    text = binascii.b2a_base64(content, newline=False)
    lines = [text[start : start + _MAX_ENCODED_LINE] for start in range(0, len(text), _MAX_ENCODED_LINE)]
    return Encoded("base64", b"\r\n".join([*lines, b""]))

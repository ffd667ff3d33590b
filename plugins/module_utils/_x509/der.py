# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read and write DER (X.690), as far as certificates and keys need it, and PEM (RFC 7468)."""

from __future__ import annotations

import base64
import binascii
import re
import typing as t

BOOLEAN, INTEGER, BIT_STRING, OCTET_STRING, NULL, OBJECT = 0x01, 0x02, 0x03, 0x04, 0x05, 0x06
UTC_TIME, SEQUENCE = 0x17, 0x30

#: A length is written in at most so many octets, and an object identifier in so many.
_LONGEST_LENGTH, _LONGEST_OBJECT = 4, 32
#: What is read of one text in PEM: no chain is longer, and no file has more keys.
_MOST_BLOCKS = 100
#: Blocks with headers, as encrypted keys have, do not match.
_PEM = re.compile(r"-----BEGIN ([A-Z0-9 ]+)-----([^-]*)-----END \1-----")


class DerError(ValueError):
    """Octets that are not DER, or not what was expected there. The text begins with ``it``."""


class Node(t.NamedTuple):
    """A value with its tag.

    :ivar content: its octets without the head.
    :ivar whole: its octets with the head.
    """

    tag: int
    content: bytes
    whole: bytes

    def children(self, fewest: int = 0) -> list[Node]:
        """The values that it consists of. Raises :class:`DerError` for fewer than ``fewest``."""
        found = list(_nodes(self.content))
        if len(found) < fewest:
            raise DerError("it is not DER, or is damaged")
        return found

    def expect(self, tag: int) -> Node:
        """The value itself, which must have this tag. Raises :class:`DerError`."""
        if self.tag != tag:
            raise DerError("it is not DER, or is damaged")
        return self

    def object(self) -> str:
        """Its value as an object identifier, such as ``1.2.840.113549.1.1.1`` (X.690 section 8.19).

        The first two arcs share a number, and numbers are base 128. Raises :class:`DerError`.
        """
        content = self.expect(OBJECT).content
        arcs, number = [], 0
        for octet in content[:_LONGEST_OBJECT]:
            number = number << 7 | octet & 0x7F
            if not octet & 0x80:
                arcs.append(number)
                number = 0
        if not arcs or len(content) > _LONGEST_OBJECT:
            raise DerError("it has an object identifier that is damaged")
        first = min(arcs[0] // 40, 2)
        return ".".join(map(str, [first, arcs[0] - 40 * first, *arcs[1:]]))

    def bits(self) -> bytes:
        """The octets of a bit string, of which the first counts unused bits."""
        return self.expect(BIT_STRING).content[1:]


def parse(octets: bytes) -> Node:
    """Read the first value; a trusted certificate of OpenSSL has more after it. Raises :class:`DerError`."""
    for node in _nodes(octets):
        return node
    raise DerError("it ends too early")


def _nodes(octets: bytes) -> t.Iterator[Node]:
    place = 0
    while place < len(octets):
        head = octets[place : place + 2]
        if len(head) < 2:
            raise DerError("it ends too early")
        tag, length = head
        start = place + 2
        if length & 0x80:
            count = length & 0x7F
            if not 0 < count <= _LONGEST_LENGTH:
                raise DerError("it is not DER, or is damaged")
            length = int.from_bytes(octets[start : start + count], "big")
            start += count
        end = start + length
        if end > len(octets):
            raise DerError("it ends too early")
        yield Node(tag, octets[start:end], octets[place:end])
        place = end


def encode(tag: int, *contents: bytes) -> bytes:
    """Write one value."""
    content = b"".join(contents)
    size = len(content)
    if size < 0x80:
        return bytes([tag, size]) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(length)]) + length + content


def pem_blocks(text: str) -> list[tuple[str, bytes]]:
    """The label and the content of each block in PEM, at most 100. Raises :class:`DerError`."""
    blocks = [(match[1], decode_base64(match[2])) for match in _PEM.finditer(text)]
    if len(blocks) > _MOST_BLOCKS:
        raise DerError(f"it has {len(blocks)} blocks; expected at most {_MOST_BLOCKS}")
    return blocks


def decode_base64(text: str) -> bytes:
    """Decode ``text``, in which blanks do not count. Raises :class:`DerError`."""
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise DerError("it is not valid base64") from error

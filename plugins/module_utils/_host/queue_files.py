# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The envelope in a queue file of Postfix: when the message arrived, and its open recipients. Content is not read.

A file is a row of records: a letter for the type, the length in groups of seven bits, the lowest first, and the data
(rec_type(3), record(3) of Postfix). The envelope comes before the content; recipients that were found in the header, or
that a filter has added, come after it, at an offset that the first record tells.
"""

from __future__ import annotations

import os
import typing as t

#: Read of a file at once; most envelopes are shorter.
_BLOCK = 4096
#: Of an envelope with thousands of recipients, no more is read.
_MOST = 1 << 20

_TELLING = b"RDCTMEp"
_RECIPIENT, _DONE, _SIZE, _TIME, _MESSAGE, _END, _POINTER = _TELLING


class Envelope(t.NamedTuple):
    """What a queue file says.

    :ivar arrived: in seconds since the epoch; ``None`` if it does not say.
    :ivar domains: of each open recipient; empty for a local name.
    :ivar whole: whether all recipients were read.
    """

    arrived: int | None
    domains: list[str]
    whole: bool


def read_envelope(descriptor: int) -> Envelope:
    """Read an open queue file.

    :raises ValueError: it is not a queue file.
    """
    found = _Reading()
    block, base, place, left = os.read(descriptor, _BLOCK), 0, 0, _MOST
    while True:
        try:
            jump = found.read(block, base, place)
        except IndexError:  # the block has only a part of the record
            place = found.place
            more = os.pread(descriptor, _BLOCK if place else 2 * len(block), base + place) if left > 0 else b""
            left -= len(more)
            if len(more) <= len(block) - place:
                return found.envelope(whole=left > 0 and found.has_all())
            block, base, place = more, base + place, 0
            continue
        if jump is None:
            return found.envelope(whole=True)
        block, base, place = os.pread(descriptor, _BLOCK, jump), jump, 0


class _Reading:
    """What has been read so far."""

    def __init__(self) -> None:
        #: Offset in the block of the first record that has not been read.
        self.place = 0
        self._arrived: int | None = None
        self._domains: list[str] = []
        self._done = self._expected = self._after = 0

    def has_all(self) -> bool:
        """Whether as many recipients were read as the file has."""
        return self._done + len(self._domains) >= self._expected

    def envelope(self, whole: bool) -> Envelope:
        """The result."""
        return Envelope(self._arrived, self._domains, whole)

    def read(self, block: bytes, base: int, place: int) -> int | None:
        """Read records until the end of the envelope, or an offset where it goes on.

        This is where a queue of 100,000 messages spends its time, so most records are only stepped over.

        :param base: offset of the block in the file.
        :raises IndexError: the block ends within a record.
        """
        size = len(block)
        while True:
            self.place = place
            kind, length, place = block[place], block[place + 1], place + 2
            if length > 0x7F:
                length, place = _long(block, place - 1)
            end = place + length
            if end > size:
                raise IndexError
            if kind in _TELLING:
                jump = self._take(kind, block[place:end], base + end)
                if jump is not None:
                    return jump if jump else None
            place = end

    def _take(self, kind: int, data: bytes, position: int) -> int | None:
        """Use a record. Returns an offset where to go on, 0 at the end of the envelope, or ``None``."""
        if kind == _RECIPIENT:
            _local, at, domain = data.rpartition(b"@")
            self._domains.append(domain.decode("utf-8", "replace").lower() if at else "")
        elif kind == _DONE:
            self._done += 1
        elif kind == _TIME:
            self._arrived = int((data.split() or [b""])[0]) if self._arrived is None else self._arrived
        elif kind == _SIZE:
            size, offset, self._expected = (int(one) for one in data.split()[:3])
            self._after = size + offset
        elif kind == _POINTER:
            return int(data) if int(data) > position else None
        elif kind == _MESSAGE:
            return 0 if self.has_all() else self._after
        elif kind == _END:
            return 0
        return None


def _long(block: bytes, place: int) -> tuple[int, int]:
    """A length of several octets, and the offset after it."""
    length = shift = 0
    while True:
        octet = block[place]
        place += 1
        length |= (octet & 0x7F) << shift
        if octet < 0x80:
            return length, place
        shift += 7

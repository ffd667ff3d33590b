# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make queue files as Postfix writes them (cleanup_envelope.c and rec_put() of Postfix)."""

from __future__ import annotations

import collections.abc as c


def record(kind: bytes, data: bytes) -> bytes:
    """A record: its type, its length in groups of seven bits, its data."""
    length, left = bytearray(), len(data)
    while True:
        left, group = left >> 7, left & 0x7F
        length.append(group | (0x80 if left else 0))
        if not left:
            return kind + bytes(length) + data


def make_file(
    recipients: c.Iterable[bytes],
    arrived: int,
    *,
    done: c.Iterable[bytes] = (),
    late: c.Iterable[bytes] = (),
    content: bytes = b"x" * 600,
    attributes: int = 12,
) -> bytes:
    """A queue file.

    :param done: recipients that have been delivered.
    :param late: recipients after the content, as from the header.
    """
    recipients, done, late = list(recipients), list(done), list(late)
    envelope = [record(b"T", b"%d 123456" % arrived)]
    envelope += [record(b"A", b"log_client_name=client%02d.example.com" % number) for number in range(attributes)]
    envelope.append(record(b"S", b"sender@example.com"))
    for kind, group in ((b"R", recipients), (b"D", done)):
        envelope += [record(b"O", one) + record(kind, one) for one in group]
    before = b"".join([*envelope, record(b"M", b"")])
    message = b"".join(record(b"N", part) for part in (b"Subject: x", b"", content))
    after = b"".join([record(b"X", b""), *(record(b"R", one) for one in late), record(b"E", b"")])
    count = len(recipients) + len(done) + len(late)

    def size(offset: int) -> bytes:
        numbers = (len(message), offset, count, 0, len(message), 0)
        return record(b"C", b" ".join(b"%15d" % number for number in numbers))

    return size(len(size(0)) + len(before)) + before + message + after

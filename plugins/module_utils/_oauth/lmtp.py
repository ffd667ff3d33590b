# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The LMTP client of the bridge, which is Postfix: its lines, its content and the replies to it (RFC 2033)."""

from __future__ import annotations

import os
import select
import typing as t

from .._smtp.reply import Reply

#: Octets to read at once, which is as much as one record of TLS takes.
_PIECE = 16384
#: The longest line that can be a command (RFC 5321 section 4.5.3.1.4, with room for the parameters of extensions).
_LONGEST = 16384
_END = b"\r\n.\r\n"


class ClientGone(Exception):
    """The client closed the connection, says nothing, or does not speak LMTP."""


class LmtpClient:
    """The other end of a stream: what it says, and what it is told.

    :param source: descriptor to read from.
    :param sink: descriptor to write to.
    :param timeout: seconds to wait for the client, each time.
    """

    def __init__(self, source: int, sink: int, timeout: float) -> None:
        self._source, self._sink = source, sink
        self._arrivals = select.poll()
        self._arrivals.register(source, select.POLLIN)
        self._timeout = timeout
        self._buffer = bytearray()

    def tell(self, *replies: Reply) -> None:
        """Send replies, all at once.

        :raises ClientGone: see the class.
        """
        data = memoryview(b"".join(map(_octets, replies)))
        try:
            while data:
                data = data[os.write(self._sink, data) :]
        except OSError as error:
            raise ClientGone(error.strerror) from None

    def line(self) -> bytes:
        """Wait for the next line, and return it with its end.

        :raises ClientGone: see the class.
        """
        while b"\n" not in self._buffer:
            if len(self._buffer) > _LONGEST:
                raise ClientGone("a line is too long")
            self._receive()
        return self._take(self._buffer.index(b"\n") + 1)

    def line_at_hand(self, verbs: t.Collection[bytes]) -> bytes | None:
        """Return the next line if it has arrived and begins with one of these verbs, which are in upper case."""
        end = self._buffer.find(b"\n") + 1
        if end and verb_of(bytes(self._buffer[: min(end, _LONGEST)])) in verbs:
            return self._take(end)
        return None

    def content(self) -> t.Iterator[bytes]:
        """Yield a content piece by piece as it is on the wire: dot-stuffed, and with the line that ends it.

        :raises ClientGone: see the class; the content is not complete.
        """
        place = 0  # in the buffer, behind what was searched
        fresh = True  # at the beginning, the end may stand alone
        while True:
            end = 3 if fresh and self._buffer.startswith(_END[2:]) else self._buffer.find(_END, place) + len(_END)
            if end >= len(_END) or end == 3:
                yield self._take(end)
                return
            if len(self._buffer) >= _PIECE:
                yield self._take(len(self._buffer) - len(_END) + 1)  # what is left may begin the end
                fresh = False
            place = max(0, len(self._buffer) - len(_END) + 1)
            self._receive()

    def _take(self, count: int) -> bytes:
        data = bytes(self._buffer[:count])
        del self._buffer[:count]
        return data

    def _receive(self) -> None:
        try:
            data = os.read(self._source, _PIECE) if self._arrivals.poll(self._timeout * 1000) else b""
        except OSError as error:
            raise ClientGone(error.strerror) from None
        if not data:
            raise ClientGone("it closed the connection or said nothing")
        self._buffer += data


def verb_of(line: bytes) -> bytes:
    """Return the verb of a command in upper case."""
    return line[:10].split(None, 1)[0].strip().upper() if line.strip() else b""


def _octets(reply: Reply) -> bytes:
    lines = [line.encode("utf-8") for line in reply.lines] or [b""]
    code = b"%d" % reply.code
    return b"".join(code + b"-" + line + b"\r\n" for line in lines[:-1]) + code + b" " + lines[-1] + b"\r\n"

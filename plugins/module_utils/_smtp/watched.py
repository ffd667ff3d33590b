# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A connection that keeps what it hears: each reply, how long it took, and the TLS handshake."""

from __future__ import annotations

import time
import typing as t

from .connection import Connection, connect

if t.TYPE_CHECKING:
    from .errors import Stage
    from .reply import Reply
    from .settings import ServerSettings
    from .tls import TlsInfo, TlsPolicy


class Heard(t.NamedTuple):
    """One reply.

    :param encrypted: whether it was received in TLS.
    """

    stage: Stage
    encrypted: bool
    reply: Reply
    milliseconds: float


class Handshake(t.NamedTuple):
    """One TLS handshake, whether or not the certificate was then accepted.

    :param chain: the certificates in DER, the server's own first; only that one if the others are not known.
    :param complete: whether ``chain`` has all that the server sent.
    """

    info: TlsInfo
    chain: tuple[bytes, ...]
    complete: bool
    milliseconds: float


def sent_chain(stream: t.Any) -> list[bytes] | None:
    """Return the certificates in DER that the server of a TLS connection sent, its own first; None if unknown.

    Before Python 3.10 only the server's own certificate is known, so the chain is not.

    :param stream: an ``ssl.SSLSocket``.
    """
    ask = getattr(getattr(stream, "_sslobj", None), "get_unverified_chain", None)
    if ask is None:
        return None
    der = 2  # _ssl.ENCODING_DER; before Python 3.13 there is only this private form
    return [one.public_bytes(der) for one in ask() or ()]


@t.final
class WatchedConnection(Connection):
    """A connection that keeps what it hears.

    :ivar heard: the replies, with the secrets of the login removed, in their order.
    :ivar handshake: the last TLS handshake that came to an end.
    :ivar source: the address of this host; empty for a Unix socket.
    :ivar waited: milliseconds of the last wait, whether or not it ended with a reply.
    """

    def __init__(self, stream: t.Any, address: str, settings: ServerSettings) -> None:
        super().__init__(stream, address, settings)
        own = stream.getsockname()
        self.source = str(own[0]) if isinstance(own, tuple) else ""
        self.heard: list[Heard] = []
        self.handshake: Handshake | None = None
        self.encrypted = False
        self.waited = 0.0

    def send(self, data: bytes | memoryview, stage: Stage) -> None:
        """Send all the data, unless a reply to nothing has arrived: it would be taken for the reply to this.

        Raises as :meth:`Connection.send`, and :class:`ProtocolViolation`.
        """
        self.expect_nothing_read(stage)
        super().send(data, stage)

    def read_reply(self, stage: Stage) -> Reply:
        """Wait for one complete reply and keep it. Raises as :meth:`Connection.read_reply`."""
        began = time.monotonic()
        try:
            reply = super().read_reply(stage)
        finally:
            self.waited = _since(began)
        self.heard.append(Heard(stage, self.encrypted, reply, self.waited))
        return reply

    def start_tls(self, policy: TlsPolicy, host: str, stage: Stage) -> None:
        """Continue in TLS and keep the certificates. Raises as :meth:`Connection.start_tls`."""
        began = time.monotonic()
        try:
            super().start_tls(policy, host, stage)
        finally:
            self.waited = _since(began)
            self._keep_handshake()

    def _keep_handshake(self) -> None:
        info = self.tls
        if info is None:
            return
        self.encrypted = True
        own = t.cast("t.Any", self._stream).getpeercert(binary_form=True)
        chain = sent_chain(self._stream)
        self.handshake = Handshake(info, tuple(chain or [own]), chain is not None, self.waited)

    def last(self, stage: Stage, encrypted: bool | None = None) -> Heard | None:
        """Return the last reply of a stage; of those in TLS, or before it, unless ``encrypted`` is None."""
        found = [one for one in self.heard if one.stage is stage and encrypted in (None, one.encrypted)]
        return found[-1] if found else None


def _since(began: float) -> float:
    return (time.monotonic() - began) * 1000


class Watch:
    """Opens watched connections, and keeps them for the questions after a session has ended.

    :param address: the only address to connect to; empty for those of the name.
    :ivar opened: the connections, in their order.
    """

    def __init__(self, address: str = "") -> None:
        self._address = address
        self.opened: list[WatchedConnection] = []

    def __call__(self, settings: ServerSettings) -> Connection:
        """Open a connection. Raises as :func:`.connection.connect`."""
        connection = connect(settings, WatchedConnection, self._address)
        self.opened.append(t.cast("WatchedConnection", connection))
        return connection

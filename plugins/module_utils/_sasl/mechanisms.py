# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Client side of the SASL mechanisms that need one or two steps, and the types of an exchange.

An exchange is a generator: it yields responses and receives the server's challenges, both without base64. It knows
neither sockets nor replies, and raises :class:`BadChallenge` for a challenge that it cannot answer.
"""

from __future__ import annotations

import hmac
import json
import typing as t

if t.TYPE_CHECKING:
    from .credentials import Credentials


class BadChallenge(ValueError):
    """A challenge of the server violates the mechanism; the text shows no secret."""


class ServerUnproven(BadChallenge):
    """The server did not prove that it knows the password, as the mechanism requires."""


class Response(t.NamedTuple):
    """One response.

    :param data: without base64.
    :param complete: whether only the server's verdict is missing; an acceptance before that does not count.
    :param remark: why the login failed, if the mechanism carries a reason: the server's words, not yet scrubbed.
    """

    data: bytes
    complete: bool = False
    remark: str = ""


#: Yields responses, receives challenges.
Exchange = t.Generator[Response, bytes, None]

#: First yield of a mechanism in which the server speaks first, to receive that challenge; never sent.
LISTEN = Response(b"")


class Gs2(t.NamedTuple):
    """What the client announces about channel binding (RFC 5802 section 6).

    :param flag: ``p=TYPE``: bound. ``y``: the client could bind but saw no offer, so a server that did offer binding
        detects that an attacker removed the offer. ``n``: not bound.
    :param data: the binding, only with ``p``.
    """

    flag: str = "n"
    data: bytes = b""

    @property
    def header(self) -> str:
        """The header without an authorization identity: the user acts as itself."""
        return f"{self.flag},,"


class ExchangeContext(t.NamedTuple):
    """What an exchange may send besides the credentials.

    :param host: the server as the user named it.
    :param port: its port.
    :param gs2: what to announce about channel binding.
    """

    host: str = ""
    port: int = 0
    gs2: Gs2 = Gs2()


def plain(credentials: Credentials, _context: ExchangeContext) -> Exchange:
    """PLAIN: authorization identity (empty: the same), authentication identity, password (RFC 4616 section 2)."""
    yield Response(f"\0{credentials.username}\0{credentials.password}".encode(), complete=True)


def login(credentials: Credentials, _context: ExchangeContext) -> Exchange:
    """LOGIN: the prompts differ between servers, their order does not (draft-murchison-sasl-login)."""
    yield LISTEN
    yield Response(credentials.username.encode())
    yield Response((credentials.password or "").encode(), complete=True)


def cram_md5(credentials: Credentials, _context: ExchangeContext) -> Exchange:
    """CRAM-MD5: the user name and a keyed digest of the challenge in hexadecimal (RFC 2195 section 2).

    :raises BadChallenge: the challenge is empty, so an attacker could have collected its digest before.
    """
    challenge = yield LISTEN
    if not challenge:
        raise BadChallenge("the server's CRAM-MD5 challenge is empty")
    digest = hmac.new((credentials.password or "").encode(), challenge, "md5").hexdigest()
    yield Response(f"{credentials.username} {digest}".encode(), complete=True)


def oauthbearer(credentials: Credentials, context: ExchangeContext) -> Exchange:
    """OAUTHBEARER: a failure is a challenge, to be answered with one ``\\x01`` (RFC 7628 sections 3.1 and 3.2.3)."""
    user = credentials.username.replace("=", "=3D").replace(",", "=2C")
    identity = f"a={user}" if user else ""
    pairs = [f"host={context.host}", f"port={context.port}", f"auth=Bearer {credentials.token}"]
    yield from _bearer("\x01".join([f"n,{identity},", *pairs, "", ""]), answer=b"\x01")


def xoauth2(credentials: Credentials, _context: ExchangeContext) -> Exchange:
    """XOAUTH2: a failure is a challenge, to be answered with an empty response.

    Source: developers.google.com/workspace/gmail/imap/xoauth2-protocol.
    """
    yield from _bearer(f"user={credentials.username}\x01auth=Bearer {credentials.token}\x01\x01", answer=b"")


def external(credentials: Credentials, _context: ExchangeContext) -> Exchange:
    """EXTERNAL: the client certificate proves the identity; a user name is the one to act as (RFC 4422 appendix A)."""
    yield Response(credentials.username.encode(), complete=True)


def _bearer(message: str, answer: bytes) -> Exchange:
    failure = yield Response(message.encode(), complete=True)
    yield Response(answer, remark=token_problem(failure))


def token_problem(failure: bytes) -> str:
    """Describe the JSON with which a server refuses a token (RFC 7628 section 3.2.2); never raises."""
    try:
        facts = json.loads(failure)
    except (ValueError, RecursionError):
        facts = None
    if not isinstance(facts, dict):
        return "the server refused the token without a readable reason"
    details = [f"{name} {facts[name]}" for name in ("status", "scope") if isinstance(facts.get(name), (str, int))]
    return "the server refused the token" + (f": {', '.join(details)}" if details else "")


def printable(text: str, limit: int = 300) -> str:
    """Return the text for a log or a terminal: without control characters, at most ``limit`` characters."""
    shown = "".join(character if character.isprintable() else "?" for character in text[:limit])
    return shown if len(text) <= limit else f"{shown}..."

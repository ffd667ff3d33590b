# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A client's side of SASL mechanisms: what an exchange is, and the ones of a step or two.

An exchange is a generator: it yields responses and receives the server's challenges, all without base64. It knows
neither sockets nor replies, and raises :class:`BadChallenge` for whatever it cannot go on from.
"""

from __future__ import annotations

import hmac
import json
import typing as t

if t.TYPE_CHECKING:
    from .credentials import Credentials


class BadChallenge(ValueError):
    """The server's part of the exchange is not what the mechanism prescribes. Shows no secret."""


class ServerUnproven(BadChallenge):
    """The server did not show that it knows the password, as the mechanism prescribes."""


class Response(t.NamedTuple):
    """One response.

    :param data: without base64.
    :param complete: whether the client needs no more than the verdict; an acceptance that comes earlier is none.
    :param remark: why the login failed in the mechanism's own words, where it has some: the server's, as they came.
    """

    data: bytes
    complete: bool = False
    remark: str = ""


#: Yields responses, receives challenges.
Exchange = t.Generator[Response, bytes, None]

#: What a mechanism in which the server speaks first yields to receive that challenge; never sent.
LISTEN = Response(b"")


class Gs2(t.NamedTuple):
    """What the client says of channel binding (RFC 5802 section 6).

    :param flag: ``p=TYPE``: bound. ``y``: could, and the server offered none, so a server that did sees that somebody
        removed it. ``n``: not bound.
    :param data: the binding, with ``p`` only.
    """

    flag: str = "n"
    data: bytes = b""

    @property
    def header(self) -> str:
        """Without an authorization identity: log in as oneself."""
        return f"{self.flag},,"


class ExchangeContext(t.NamedTuple):
    """What an exchange may have to say besides the credentials.

    :param host: the server as the user named it.
    :param port: its port.
    :param gs2: what to say of channel binding.
    """

    host: str = ""
    port: int = 0
    gs2: Gs2 = Gs2()


def plain(credentials: Credentials, _context: ExchangeContext) -> Exchange:
    """RFC 4616 section 2: authorization identity (empty: the same), authentication identity, password."""
    yield Response(f"\0{credentials.username}\0{credentials.password}".encode(), complete=True)


def login(credentials: Credentials, _context: ExchangeContext) -> Exchange:
    """draft-murchison-sasl-login: the prompts differ between servers, their order does not."""
    yield LISTEN
    yield Response(credentials.username.encode())
    yield Response((credentials.password or "").encode(), complete=True)


def cram_md5(credentials: Credentials, _context: ExchangeContext) -> Exchange:
    """RFC 2195 section 2: the user and a keyed digest of the challenge, in hexadecimal.

    :raises BadChallenge: an empty challenge, the digest of which anybody could have collected before.
    """
    challenge = yield LISTEN
    if not challenge:
        raise BadChallenge("the CRAM-MD5 challenge is empty")
    digest = hmac.new((credentials.password or "").encode(), challenge, "md5").hexdigest()
    yield Response(f"{credentials.username} {digest}".encode(), complete=True)


def oauthbearer(credentials: Credentials, context: ExchangeContext) -> Exchange:
    """RFC 7628 sections 3.1 and 3.2.3: a failure is a challenge, to be answered with one ``\\x01``."""
    user = credentials.username.replace("=", "=3D").replace(",", "=2C")
    identity = f"a={user}" if user else ""
    pairs = [f"host={context.host}", f"port={context.port}", f"auth=Bearer {credentials.token}"]
    yield from _bearer("\x01".join([f"n,{identity},", *pairs, "", ""]), answer=b"\x01")


def xoauth2(credentials: Credentials, _context: ExchangeContext) -> Exchange:
    """developers.google.com/workspace/gmail/imap/xoauth2-protocol: a failure is a challenge with an empty answer."""
    yield from _bearer(f"user={credentials.username}\x01auth=Bearer {credentials.token}\x01\x01", answer=b"")


def external(credentials: Credentials, _context: ExchangeContext) -> Exchange:
    """RFC 4422 appendix A: the client certificate says who; the user, if any, says as whom."""
    yield Response(credentials.username.encode(), complete=True)


def _bearer(message: str, answer: bytes) -> Exchange:
    failure = yield Response(message.encode(), complete=True)
    yield Response(answer, remark=token_problem(failure))


def token_problem(failure: bytes) -> str:
    """What the JSON of a refused token says (RFC 7628 section 3.2.2); never raises."""
    try:
        facts = json.loads(failure)
    except (ValueError, RecursionError):
        facts = None
    if not isinstance(facts, dict):
        return "the server refused the token without a reason it could spell"
    said = [f"{name} {facts[name]}" for name in ("status", "scope") if isinstance(facts.get(name), (str, int))]
    return "the server refused the token" + (f": {', '.join(said)}" if said else "")


def printable(text: str, limit: int = 300) -> str:
    """The text for a log or a terminal: no control characters, no end of its own choice."""
    shown = "".join(character if character.isprintable() else "?" for character in text[:limit])
    return shown if len(text) <= limit else f"{shown}..."

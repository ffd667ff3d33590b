# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The server side of SCRAM, written from RFC 5802 section 3 without the client's code. It can send false messages."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import hmac
from collections.abc import Callable, Generator

#: Receives the client's messages, yields challenges (the first one empty) and returns the final reply.
SaslServer = Generator[bytes, bytes, str]

ACCEPTED = "235 2.7.0 welcome"
REFUSED = "535 5.7.8 authentication failed"


def salted_password(digest: str, password: bytes, salt: bytes, iterations: int) -> bytes:
    """Hi() of RFC 5802 section 2.2."""
    block = result = hmac.new(password, salt + b"\0\0\0\1", digest).digest()
    for _round in range(iterations - 1):
        block = hmac.new(password, block, digest).digest()
        result = bytes(one ^ other for one, other in zip(result, block, strict=True))
    return result


@dataclasses.dataclass
class ScramServer:
    """A server with one account.

    :param binding: type and data of the channel binding on this side; None on a server without channel binding.
    :param plus: whether this is a -PLUS mechanism. Without it, a client that sends ``y`` to a server with channel
        binding was downgraded.
    :param first: changes the first challenge before it is sent.
    :param final: changes the last challenge, or suppresses it by returning None.
    """

    digest: str = "sha256"
    user: str = "user"
    password: str = "hunter2-secret"
    iterations: int = 64
    binding: tuple[str, bytes] | None = None
    plus: bool = False
    first: Callable[[bytes], bytes] = lambda message: message
    final: Callable[[bytes], bytes | None] = lambda message: message
    seen: list[bytes] = dataclasses.field(default_factory=list)

    def exchange(self) -> SaslServer:
        client_first = yield b""
        self.seen.append(client_first)
        flag, _authzid, bare = client_first.split(b",", 2)
        if not self._flag_is_right(flag.decode()):
            return REFUSED
        attributes = dict(part.split(b"=", 1) for part in bare.split(b","))
        salt = hashlib.sha256(self.user.encode()).digest()[:12]
        nonce = attributes[b"r"] + b"+server"
        server_first = self.first(b"r=%s,s=%s,i=%d" % (nonce, base64.b64encode(salt), self.iterations))
        client_final = yield server_first
        self.seen.append(client_final)
        without_proof, proof = client_final.rsplit(b",p=", 1)
        header = base64.b64encode(flag + b",," + (self.binding[1] if self.plus and self.binding else b""))
        if without_proof != b"c=" + header + b",r=" + nonce or attributes[b"n"].decode() != self.user:
            return REFUSED
        signature = self._check(salt, b",".join([bare, server_first, without_proof]), base64.b64decode(proof))
        if signature is None:
            return REFUSED
        final = self.final(b"v=" + base64.b64encode(signature))
        if final is not None:
            yield final
        return ACCEPTED

    def _flag_is_right(self, flag: str) -> bool:
        if self.plus:
            return self.binding is not None and flag == f"p={self.binding[0]}"
        return flag == "n" or (flag == "y" and self.binding is None)

    def _check(self, salt: bytes, message: bytes, proof: bytes) -> bytes | None:
        salted = salted_password(self.digest, self.password.encode(), salt, self.iterations)
        stored = hashlib.new(self.digest, hmac.new(salted, b"Client Key", self.digest).digest()).digest()
        mark = hmac.new(stored, message, self.digest).digest()
        client_key = bytes(one ^ other for one, other in zip(proof, mark, strict=True))
        if hashlib.new(self.digest, client_key).digest() != stored:
            return None
        return hmac.new(hmac.new(salted, b"Server Key", self.digest).digest(), message, self.digest).digest()

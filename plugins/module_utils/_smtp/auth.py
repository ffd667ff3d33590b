# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SASL mechanisms as pure functions over bytes (RFC 4954, RFC 4616).

A mechanism is a generator: it yields responses and receives the server's challenges, all without base64. It knows
neither sockets nor replies. Whether its first response may travel with the AUTH command is a matter of the table.
"""

from __future__ import annotations

import base64
import typing as t
from dataclasses import dataclass, field

if t.TYPE_CHECKING:
    from .reply import Reply

_MASK = "********"
#: So many characters of base64 in a row are no accident.
_TELLING = 6

#: Yields responses, receives challenges.
Exchange = t.Generator[bytes, bytes, None]


class NoUsableMechanism(ValueError):
    """The server offers none of the mechanisms that can use the credentials."""


@dataclass(frozen=True)
class Credentials:
    """A login. Never part of a log, an error or a ``repr``."""

    username: str
    password: str = field(repr=False)

    def _echoed_in(self, reply: Reply) -> bool:
        plain = f"\0{self.username}\0{self.password}"
        forms = (self.password, *(base64.b64encode(text.encode()).decode("ascii") for text in (plain, self.password)))
        return any(form and form in line for form in forms for line in reply.lines)

    def scrub(self, reply: Reply) -> Reply:
        """The reply without any word in which the server echoes a secret, in clear or base64, whole or in part."""
        if reply.positive and not self._echoed_in(reply):
            return reply  # thousands of these come in, and hold nothing
        plain = f"\0{self.username}\0{self.password}"
        encoded = [base64.b64encode(text.encode()).decode("ascii") for text in (plain, self.password)]

        def clean(word: str) -> str:
            pieces = {word[start : start + _TELLING] for start in range(max(1, len(word) - _TELLING + 1))}
            echoes = any(piece in form for form in encoded for piece in pieces if len(piece) == _TELLING)
            return _MASK if echoes or (self.password and self.password in word) else word

        lines = (line.replace(self.password, _MASK) if self.password else line for line in reply.lines)
        return reply._replace(lines=tuple(" ".join(map(clean, line.split(" "))) for line in lines))


@dataclass(frozen=True)
class Mechanism:
    """One SASL mechanism.

    :param name: as in the AUTH line.
    :param initial: whether the client speaks first, so that its response goes with the command (RFC 4954 section 4).
    :param cleartext: whether whoever reads the line learns the password.
    :param start: gives the exchange.
    """

    name: str
    initial: bool
    cleartext: bool
    start: t.Callable[[Credentials], Exchange]


def _plain(credentials: Credentials) -> Exchange:
    """RFC 4616 section 2: authorization identity (empty: the same), authentication identity, password."""
    yield b"\0" + credentials.username.encode() + b"\0" + credentials.password.encode()


def _login(credentials: Credentials) -> Exchange:
    """draft-murchison-sasl-login: the prompts differ between servers, their order does not."""
    yield credentials.username.encode()
    yield credentials.password.encode()


#: Strongest first; the first that the server offers is used, once (a second try after a refusal locks accounts).
MECHANISMS: tuple[Mechanism, ...] = (
    Mechanism("PLAIN", initial=True, cleartext=True, start=_plain),
    Mechanism("LOGIN", initial=False, cleartext=True, start=_login),
)


def choose_mechanism(offered: t.Sequence[str]) -> Mechanism:
    """Pick the strongest mechanism that both sides know.

    :raises NoUsableMechanism: there is none; says what was offered.
    """
    for mechanism in MECHANISMS:
        if mechanism.name in offered:
            return mechanism
    known = ", ".join(mechanism.name for mechanism in MECHANISMS)
    raise NoUsableMechanism(f"the server offers {', '.join(offered) or 'no mechanism'}; this client knows {known}")

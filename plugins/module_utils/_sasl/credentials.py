# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Credentials: user name and secret, which no log, error or ``repr`` shows (RFC 4422)."""

from __future__ import annotations

import enum
import re
import typing as t
from dataclasses import dataclass, field

from .saslprep import NotPreparable, saslprep
from .scrubbing import encoded_forms, scrub_text

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
#: RFC 6750 section 2.1 allows fewer characters, but some issuers use others.
_TOKEN = re.compile(r"[!-~]+\Z")


class InvalidCredentials(ValueError):
    """No mechanism can carry these credentials; the text is a sentence without secrets."""


class Proof(enum.Enum):
    """How a login is proven; the value names it in a sentence."""

    PASSWORD = "a password"
    TOKEN = "an OAuth2 token"
    CERTIFICATE = "a client certificate"


@dataclass(frozen=True, repr=False)
class Credentials:
    """User name and secret of a login, which never appear in a log, an error or a ``repr``.

    :param username: may be empty only with a client certificate, which identifies the user.
    :param password: or app password, or authorisation code.
    :param token: an OAuth2 access token in place of a password. Without password and token, the client certificate of
        the TLS connection proves the identity.
    :raises InvalidCredentials: both secrets are set, or a value has characters that no mechanism can carry.
    """

    username: str
    password: str | None = None
    token: str | None = None
    _forms: tuple[str, ...] = field(init=False, compare=False)

    def __post_init__(self) -> None:
        if self.password is not None and self.token is not None:
            raise InvalidCredentials("both a password and a token are set; set only one")
        for name, value in (("user name", self.username), ("password", self.password or "")):
            if _CONTROL.search(value):
                hint = " at its end: a line break; remove it" if value.endswith(("\n", "\r")) else ""
                raise InvalidCredentials(f"the {name} contains a control character{hint}")
        if self.token is not None and not _TOKEN.match(self.token):
            raise InvalidCredentials("the token is empty or contains a space, a control or a non-ASCII character")
        object.__setattr__(self, "_forms", encoded_forms(self._secrets()))

    def __repr__(self) -> str:
        return f"Credentials(username={self.scrub_text(self.username)!r}, {self.proof.name.lower()}=***)"

    @property
    def proof(self) -> Proof:
        """How this login is proven."""
        if self.token is not None:
            return Proof.TOKEN
        return Proof.CERTIFICATE if self.password is None else Proof.PASSWORD

    @property
    def nameless(self) -> bool:
        """Whether the user name is missing; a certificate identifies its user and needs none."""
        return not self.username and self.proof is not Proof.CERTIFICATE

    def _secrets(self) -> list[str]:
        """Return the token, or the password as given and as SCRAM prepares it."""
        if not self.password:
            return [self.token] if self.token else []
        try:
            return [self.password, saslprep(self.password)]
        except NotPreparable:
            return [self.password]

    def scrub_text(self, text: str, sent: t.Iterable[str] = ()) -> str:
        """Return the text without the secrets, in any form in which a server may echo them.

        The user name can be the secret, too (Postmark's is the token).

        :param sent: further texts to hide: the responses that went over the connection.
        """
        return scrub_text(text, [*self._forms, *sent])

# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who may hand mail to the relay: its ports and its logins."""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass

from .reader import Network, Options, Reader, as_bool, as_list, as_text

#: What a port means where a listener does not say (RFC 5321, RFC 6409, RFC 8314).
LISTENER_DEFAULTS: t.Mapping[int, tuple[str, bool]] = {
    25: ("opportunistic", False),
    465: ("implicit", True),
    587: ("starttls", True),
}

#: Dovecot looks logins up in lower case.
_USER_NAME = re.compile(r"[a-z0-9][a-z0-9._@+-]{0,127}\Z")
#: Schemes of Dovecot that do not keep the password itself, or a fast hash of it.
_PASSWORD_HASH = re.compile(
    r"\{(?:SCRAM-SHA-256|SCRAM-SHA-1|SHA256-CRYPT|SHA512-CRYPT|BLF-CRYPT|ARGON2I|ARGON2ID|PBKDF2)\}[^\s:]+\Z"
)


@dataclass(frozen=True)
class Listener:
    """One port that accepts mail.

    :param tls: ``none``, ``opportunistic``, ``starttls`` (required) or ``implicit``.
    :param login: whether a login is demanded.
    :param sources: who may connect; empty for everybody.
    :param postscreen: whether strangers are screened first (postscreen(8)).
    """

    port: int
    tls: str
    login: bool
    sources: tuple[Network, ...]
    postscreen: bool


@dataclass(frozen=True)
class User:
    """One login and the sender addresses it may use (``@domain`` for a whole domain)."""

    name: str
    password: str | None
    password_hash: str | None
    senders: tuple[str, ...]

    @property
    def has_scram(self) -> bool:
        """Whether SCRAM-SHA-256 serves this login; to it a hash of another kind is no password (RFC 5802)."""
        return not self.password_hash or self.password_hash.startswith("{SCRAM-SHA-256}")


def read_listener(reader: Reader, index: int, item: Options, is_mx: bool) -> Listener:
    """:param is_mx: whether the host takes mail from the Internet, so that port 25 screens strangers."""
    variable = f"relay_listeners[{index}]"
    port = reader.port(f"{variable}.port", item["port"])
    tls, login = LISTENER_DEFAULTS.get(port, ("starttls", True))
    tls = item.get("tls") or tls
    login = login if item.get("login") is None else as_bool(item["login"])
    if login and tls in ("none", "opportunistic"):
        reader.problem(
            variable, f"a login with tls: {tls} could travel in clear; expected tls: starttls or tls: implicit"
        )
    if item.get("from") is not None and not as_list(item["from"]):
        reader.problem(f"{variable}.from", "an empty list lets nobody connect; expected a network, or no from at all")
    postscreen = is_mx and port == 25 and not login
    if item.get("postscreen") is not None:
        postscreen = as_bool(item["postscreen"])
        if postscreen and (login or tls == "implicit"):
            reader.problem(
                f"{variable}.postscreen",
                "is for mail servers that come from the Internet, not for users; expected a port without login and "
                "without tls: implicit",
            )
    return Listener(port, tls, login, reader.networks(f"{variable}.from", item.get("from")), postscreen)


def read_user(reader: Reader, index: int, item: Options, domain: str) -> User:
    """:param domain: completes a name that is no address, where no senders are given."""
    name = str(item["name"])
    variable = f"relay_users[{index}] ({name})"
    if not _USER_NAME.match(name):
        reader.problem(variable, "expected a name of small letters, digits and . _ @ + -")
    password, password_hash = as_text(item.get("password")), as_text(item.get("password_hash"))
    if bool(password) == bool(password_hash):
        reader.problem(variable, "expected either password or password_hash, and not an empty one")
    if password_hash and not _PASSWORD_HASH.match(password_hash):
        reader.problem(
            variable, "password_hash has no scheme fit for passwords; expected something like {SHA512-CRYPT}$6$..."
        )
    senders = as_list(item.get("senders")) or [name if "@" in name else f"{name}@{domain}"]
    return User(name, password, password_hash, tuple(reader.senders(f"{variable}.senders", one) for one in senders))

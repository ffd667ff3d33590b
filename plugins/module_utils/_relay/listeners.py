# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Listeners and users: the ports that accept mail, and the logins for them."""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass

from .reader import Network, Options, Reader, as_bool, as_list, as_text

#: TLS mode and login of a port, unless its listener sets them (RFC 5321, RFC 6409, RFC 8314).
LISTENER_DEFAULTS: t.Mapping[int, tuple[str, bool]] = {
    25: ("opportunistic", False),
    465: ("implicit", True),
    587: ("starttls", True),
}

#: Dovecot looks user names up in lower case.
_USER_NAME = re.compile(r"[a-z0-9][a-z0-9._@+-]{0,127}\Z")
#: Dovecot's schemes that store neither the password itself nor a fast hash of it.
_PASSWORD_HASH = re.compile(
    r"\{(?:SCRAM-SHA-256|SCRAM-SHA-1|SHA256-CRYPT|SHA512-CRYPT|BLF-CRYPT|ARGON2I|ARGON2ID|PBKDF2)\}[^\s:]+\Z"
)


@dataclass(frozen=True)
class Listener:
    """One port that accepts mail.

    :param tls: ``none``, ``opportunistic``, ``starttls`` (required) or ``implicit``.
    :param login: whether a login is required.
    :param sources: networks that may connect; empty means any.
    :param postscreen: whether postscreen(8) screens clients first.
    """

    port: int
    tls: str
    login: bool
    sources: tuple[Network, ...]
    postscreen: bool

    @property
    def kind(self) -> str:
        """The service that it offers, whatever its port: ``smtps``, ``submission`` or ``smtp``."""
        return "smtps" if self.tls == "implicit" else "submission" if self.login else "smtp"


@dataclass(frozen=True)
class User:
    """One login and the sender addresses that it may use (``@domain`` for a whole domain)."""

    name: str
    password: str | None
    password_hash: str | None
    senders: tuple[str, ...]


def read_listener(reader: Reader, index: int, item: Options, is_mx: bool) -> Listener:
    """Read one entry of ``relay_listeners``.

    :param is_mx: whether the host accepts mail from the Internet, so that port 25 uses postscreen(8) by default.
    """
    variable = f"relay_listeners[{index}]"
    port = reader.port(f"{variable}.port", item["port"])
    tls, login = LISTENER_DEFAULTS.get(port, ("starttls", True))
    tls = item.get("tls") or tls
    login = login if item.get("login") is None else as_bool(item["login"])
    if login and tls in ("none", "opportunistic"):
        reader.problem(
            variable, f"a login with tls: {tls} could travel in cleartext; expected tls: starttls or tls: implicit"
        )
    if item.get("from") is not None and not as_list(item["from"]):
        reader.problem(
            f"{variable}.from", "an empty list lets no client connect; expected at least one network, or no from"
        )
    postscreen = is_mx and port == 25 and not login
    if item.get("postscreen") is not None:
        postscreen = as_bool(item["postscreen"])
        if postscreen and (login or tls == "implicit"):
            reader.problem(
                f"{variable}.postscreen",
                "screens other mail servers, not users; expected a listener without login and without tls: implicit, "
                "or postscreen: false",
            )
    return Listener(port, tls, login, reader.networks(f"{variable}.from", item.get("from")), postscreen)


def read_user(reader: Reader, index: int, item: Options, domain: str) -> User:
    """Read one entry of ``relay_users``.

    :param domain: completes a user name that is not an address, if no senders are given.
    """
    name = str(item["name"])
    variable = f"relay_users[{index}] ({name})"
    if not _USER_NAME.match(name):
        reader.problem(
            variable,
            "is not a valid user name; expected up to 128 lower-case letters, digits and . _ @ + -, beginning with a "
            "letter or a digit",
        )
    password, password_hash = as_text(item.get("password")), as_text(item.get("password_hash"))
    if bool(password) == bool(password_hash):
        reader.problem(variable, "has neither or both of password and password_hash; expected exactly one, not empty")
    if password_hash and not _PASSWORD_HASH.match(password_hash):
        reader.problem(
            variable, "password_hash has no scheme fit for passwords; expected a hash such as {SHA512-CRYPT}$6$..."
        )
    senders = as_list(item.get("senders")) or [name if "@" in name else f"{name}@{domain}"]
    return User(name, password, password_hash, tuple(reader.senders(f"{variable}.senders", one) for one in senders))

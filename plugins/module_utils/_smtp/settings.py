# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The settings of a session: the server, its TLS, login and time-outs."""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass, field, replace

from .tls import TlsMode, TlsPolicy

if t.TYPE_CHECKING:
    from .._sasl.credentials import Credentials
    from .proxy import Proxy

#: RFC 6409 section 3.1 (submission), RFC 8314 section 3.3 (submissions), RFC 5321 section 4.5.4.2 (relay).
DEFAULT_PORTS: t.Mapping[TlsMode, int] = {
    TlsMode.STARTTLS: 587,
    TlsMode.IMPLICIT: 465,
    TlsMode.OPPORTUNISTIC: 25,
    TlsMode.NONE: 25,
}


#: The extensions that a session can do without. TLS and a login have options of their own: to ignore what they need
#: would be a downgrade.
IGNORABLE_EXTENSIONS = ("8BITMIME", "CHUNKING", "DSN", "PIPELINING", "SIZE", "SMTPUTF8")
_OWN_OPTIONS: t.Mapping[str, str] = {
    "STARTTLS": "set tls: none to send without TLS",
    "AUTH": "remove username and the secret to send without a login",
    "REQUIRETLS": "set require_tls: false to send without it",
}

#: Greetings of servers that take the commands of the next message behind the end of a content, by their source and the
#: tests of the lab. No harmless trial can tell: a server that hangs up instead leaves a message unknown.
_TAKES_AHEAD = re.compile(r"\bPostfix\b")

#: One day, in seconds; a longer time-out is a mistake.
_LONGEST = 86400


class InvalidSettings(ValueError):
    """The settings contradict each other or cannot be used; the text is a sentence for the user."""


@dataclass(frozen=True)
class ServerSettings:
    """One server, and how to talk to it.

    :param host: name or address.
    :param port: 0 uses the default port of the TLS mode.
    :param tls: when TLS begins and what the certificate must prove.
    :param credentials: the login, or None to send without one.
    :param ehlo_name: this host's name in EHLO (RFC 5321 section 4.1.1.1); if empty, its fully qualified name, or the
        address it connects from if it has no such name.
    :param connect_timeout: seconds for the TCP connection, per address.
    :param timeout: seconds for one command and its complete reply.
    :param final_timeout: seconds for the reply to the content; servers scan it first, and after the time-out the
        status is unknown (RFC 5321 section 4.5.3.2.6).
    :param allow_cleartext_login: whether a login may be sent without TLS.
    :param lmtp: whether the server speaks LMTP, with a reply for each recipient (RFC 2033).
    :param unix_socket: path to connect to in place of host and port; ``host`` is then only the name to verify.
    :param proxy: the proxy to connect through.
    :param auth_mechanism: the only one to log in with; None uses the strongest that fits.
    :param ignore_extensions: EHLO keywords to leave unused although the server offers them; in any case.
    :param send_ahead: whether the commands of the next message may follow the content of the current one, before its
        reply; None does so only with a server that is known to take it.
    """

    host: str
    port: int = 0
    tls: TlsPolicy = field(default_factory=TlsPolicy)
    credentials: Credentials | None = None
    ehlo_name: str = ""
    connect_timeout: float = 15.0
    timeout: float = 60.0
    final_timeout: float = 600.0
    allow_cleartext_login: bool = False
    lmtp: bool = False
    unix_socket: str = ""
    proxy: Proxy | None = None
    auth_mechanism: str | None = None
    ignore_extensions: t.Collection[str] = ()
    send_ahead: bool | None = None

    def __post_init__(self) -> None:
        """Set the default port.

        :raises InvalidSettings: see the class.
        """
        if not _is_host(self.host):
            raise InvalidSettings(f"host is {self.host!r}; expected a host name or an address")
        if not 0 <= self.port <= 65535:
            raise InvalidSettings(f"port is {self.port}; expected 1 to 65535")
        if not self.ehlo_name.isascii() or any(not "!" <= character <= "~" for character in self.ehlo_name):
            raise InvalidSettings(f"ehlo_name is {self.ehlo_name!r}; expected a host name in ASCII without spaces")
        for timeout in (self.connect_timeout, self.timeout, self.final_timeout):
            if not 0 < timeout <= _LONGEST:
                raise InvalidSettings(f"a time-out is {timeout:g} s; expected more than 0 and at most {_LONGEST} s")
        if self.credentials and self.credentials.nameless:
            raise InvalidSettings("username is empty; set it, or remove it and the secret to send without a login")
        if self.credentials and self.tls.mode is TlsMode.NONE and not self.allow_cleartext_login:
            raise InvalidSettings(
                "a login without TLS would send the password in clear; set tls to starttls or implicit,"
                " remove username and password, or allow it with allow_cleartext_login"
            )
        if self.unix_socket and self.proxy:
            raise InvalidSettings(
                "unix_socket and proxy are both set, but a proxy cannot connect to a Unix socket of"
                " this host; remove one of them"
            )
        object.__setattr__(self, "ignore_extensions", frozenset(map(_ignorable, self.ignore_extensions)))
        if not self.port:
            object.__setattr__(self, "port", DEFAULT_PORTS[self.tls.mode])

    def without_login(self) -> ServerSettings:
        """Return the same settings without the login."""
        return replace(self, credentials=None)

    def may_send_ahead(self, greeting: str) -> bool:
        """Return whether commands may be sent ahead to the server with this greeting."""
        return bool(_TAKES_AHEAD.search(greeting)) if self.send_ahead is None else self.send_ahead

    @property
    def server(self) -> str:
        """``host:port``, an IPv6 address in brackets, or the path of a socket."""
        if self.unix_socket:
            return self.unix_socket
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def _ignorable(extension: str) -> str:
    """Return the EHLO keyword in upper case.

    :raises InvalidSettings: it cannot be left unused.
    """
    keyword = extension.strip().upper()
    if keyword in IGNORABLE_EXTENSIONS:
        return keyword
    advice = _OWN_OPTIONS.get(keyword, f"expected any of {', '.join(IGNORABLE_EXTENSIONS)}")
    raise InvalidSettings(f"ignore_extensions: {extension!r} cannot be ignored; {advice}")


def _is_host(name: str) -> bool:
    """Return whether the resolver accepts this name, which it converts to IDNA itself."""
    try:
        return bool(name) and all("!" <= chr(octet) <= "~" for octet in name.encode("idna"))
    except UnicodeError:
        return False

# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The settings of a session: the server, its TLS, login and time-outs."""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass, field, replace

from .._message.domains import ascii_domain
from .._message.errors import InvalidAddress
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

#: Greetings of servers that are known to take the commands of the next message behind the end of a content. No harmless
#: trial can tell: a server that hangs up instead leaves a message unknown.
_TAKES_AHEAD = re.compile(r"\bPostfix\b")

#: One day, in seconds; a longer time-out is a mistake.
_LONGEST = 86400

#: White space and invisible characters, which a copy from a web page often has around a name.
_BLANKS = re.compile(r"\A[\s\u200b\ufeff]+|[\s\u200b\ufeff]+\Z")
#: Brackets around an address; in YAML without quotes they are a list, which Ansible passes on as ``['::1']``.
_LITERAL = re.compile(r"\['?(?:ipv6:)?([^\[\]']*)'?\]\Z", re.IGNORECASE)
#: An IPv6 address with an optional zone, or a last label that the resolver takes for part of an IPv4 address.
_ADDRESS = re.compile(
    r"[0-9a-f.]*:[0-9a-f:.]*(?:%[\w.-]+)?\Z|(?:.*\.)?(?:[0-9]+|0x[0-9a-f]*)\Z", re.IGNORECASE | re.ASCII
)
#: What people paste in place of a name: a URL, a login, a port. Everything before the last @ may be a secret.
_PASTED = re.compile(
    r"(?:(?P<scheme>[a-z][a-z0-9+.-]*):/+)?(?P<login>.*@)?(?P<host>\[[^\[\]]*\]|[^\s\[\]:/?#@,;]+)"
    r"(?::(?P<port>[0-9]{1,5}))?(?:[/?#][^@]*)?\Z",
    re.IGNORECASE | re.DOTALL,
)
_SCHEMES: t.Mapping[str, str] = {
    **dict.fromkeys(("smtps", "submissions", "ssl"), "tls: implicit"),
    "submission": "tls: starttls",
    "lmtp": "lmtp: true",
}


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
        """Bring the names of hosts into their one form, and set the default port.

        :raises InvalidSettings: see the class.
        """
        self._set("host", read_host("host", self.host))
        self._set("ehlo_name", _read_ehlo_name(self.ehlo_name))
        if self.tls.server_name is not None:
            self._set("tls", replace(self.tls, server_name=read_host("tls_server_name", self.tls.server_name)))
        if self.proxy:
            self._set("proxy", replace(self.proxy, host=read_host("proxy", self.proxy.host)))
        if not 0 <= self.port <= 65535:
            raise InvalidSettings(f"port is {self.port}; expected 1 to 65535")
        for name in ("connect_timeout", "timeout", "final_timeout"):
            if not 0 < getattr(self, name) <= _LONGEST:
                raise InvalidSettings(
                    f"{name} is {getattr(self, name):g} s; expected more than 0 and at most {_LONGEST} s"
                )
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
            self._set("port", DEFAULT_PORTS[self.tls.mode])
        if self.credentials and not self.allow_cleartext_login:
            self._set("tls", replace(self.tls, trust_this_host=False))

    def _set(self, name: str, value: object) -> None:
        object.__setattr__(self, name, value)

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


def read_host(option: str, text: str) -> str:
    """Return a host name or address in the one form that the resolver, certificates and SNI understand.

    Blanks around it, brackets, letter case and the final dot do not matter; a name is returned in A-labels.

    :param option: its name, for the error.
    :raises InvalidSettings: it is not one name or address. The text names the options for the rest of what was pasted,
        and does not show a login.
    """
    text = _BLANKS.sub("", text)
    if not text:
        raise InvalidSettings(f"{option} is empty; expected a host name or an address, or remove {option}")
    literal = _LITERAL.match(text)
    name = literal[1] if literal else re.sub(r"[.\u3002\uff0e\uff61]\Z", "", text)
    try:
        return _address(name) if _ADDRESS.match(name) else ascii_domain(name).lower()
    except ValueError as error:
        raise InvalidSettings(_explain(option, text, error)) from None


def _address(text: str) -> str:
    """Return an IPv4 or IPv6 address in its usual form.

    :raises ValueError: it is not one.
    """
    from ipaddress import ip_address

    return str(ip_address(text))


def _explain(option: str, text: str, error: ValueError) -> str:
    """Return what is wrong with a host, and the options for the parts of a URL or the like, without its login."""
    pasted = _PASTED.match(text)
    shown = re.sub(r"(?s)\A([a-z][a-z0-9+.-]*:/+)?.*@", r"\1***@", text, flags=re.IGNORECASE)
    if option == "host" and text.startswith(("/", "unix:")):
        return f"host is {shown!r}; the path of a socket belongs in unix_socket"
    if pasted and pasted["host"] == text and isinstance(error, InvalidAddress) and not text.isascii():
        return f"{option}: {error}"
    if not pasted or pasted["host"] == text:
        shown = f"{text.partition('://')[0]}://***" if "://" in text else shown
        return f"{option} is {shown!r}; expected one host name such as smtp.example.com, or one address"
    settings = [f"{option}: {pasted['host'].strip('[]')}"]
    if option == "host":
        settings += [f"port: {pasted['port']}"] if 1 <= int(pasted["port"] or 0) <= 65535 else []
        settings += filter(None, [_SCHEMES.get((pasted["scheme"] or "").lower())])
    login = ", and the login in username and password" if option == "host" and pasted["login"] else ""
    return f"{option} is {shown!r}; expected only a host name or an address: set {', '.join(settings)}{login}"


def _read_ehlo_name(text: str) -> str:
    """Return a name, or an address as a literal (RFC 5321 section 4.1.3); empty if there is none."""
    if not _BLANKS.sub("", text):
        return ""
    name = read_host("ehlo_name", text)
    return address_literal(name) if _ADDRESS.match(name) else name


def address_literal(address: str) -> str:
    """Return an address in the form of EHLO, without its zone (RFC 5321 section 4.1.3)."""
    return f"[IPv6:{address.partition('%')[0]}]" if ":" in address else f"[{address}]"

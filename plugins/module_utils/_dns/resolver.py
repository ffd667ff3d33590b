# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lookups over the network. The only file that imports dnspython."""

from __future__ import annotations

import ipaddress
import re
import typing as t

from .dns_errors import LibraryMissing, LookupTimedOut, ResolverUnavailable, ServerFailure
from .lookup import Answer
from .names import normalize, without_final_dot

try:
    import dns.exception
    import dns.flags
    import dns.name
    import dns.rcode
    import dns.rdata
    import dns.resolver
except ImportError as error:
    DNSPYTHON_IMPORT_ERROR: ImportError | None = error
else:
    DNSPYTHON_IMPORT_ERROR = None

DNS_PORT = 53
_MAX_PORT = 65535
#: The longest time, in seconds, before an unanswered datagram is sent again or to the next server.
_RETRY_AFTER = 2.0
#: How long, in seconds, the servers have to answer anything at all, once they have answered nothing.
_LAST_CHANCE = 2.0
#: The size, in octets, that no path fragments; larger answers come over TCP (DNS flag day 2020).
_EDNS_PAYLOAD = 1232
_WITH_PORT = re.compile(r"(?:\[([0-9a-f:.]+)\]|([0-9.]+)):([0-9]{1,5})", re.IGNORECASE)


def parse_nameserver(text: str) -> tuple[str, int]:
    """Parse ``192.0.2.1``, ``2001:db8::1``, ``192.0.2.1:5353`` or ``[2001:db8::1]:5353``.

    Raises :class:`ResolverUnavailable`.
    """
    match = _WITH_PORT.fullmatch(text)
    address, port = (match.group(1) or match.group(2), int(match.group(3))) if match else (text, DNS_PORT)
    try:
        if not 0 < port <= _MAX_PORT:
            raise ValueError(f"{port} is not a valid port")
        return str(ipaddress.ip_address(address)), port
    except ValueError as error:
        expected = "expected an address such as 192.0.2.53, or with a port 192.0.2.53:5353"
        raise ResolverUnavailable(f"nameservers: {text!r} is not an IP address; {expected}") from error


class DnsResolver:
    """A :class:`~.lookup.Lookup` with dnspython, which uses TCP if the answer does not fit in a datagram."""

    def __init__(self, nameservers: t.Sequence[str] = (), timeout: float = 5.0) -> None:
        """Use ``nameservers``, or the system's if the list is empty; ``timeout`` is in seconds, for each query.

        Raises :class:`LibraryMissing` and :class:`ResolverUnavailable`.
        """
        if DNSPYTHON_IMPORT_ERROR is not None:
            raise LibraryMissing("the Python library dnspython is not installed") from DNSPYTHON_IMPORT_ERROR
        self._resolver = _system_resolver() if not nameservers else _resolver_for(nameservers)
        self._resolver.use_edns(0, 0, _EDNS_PAYLOAD)
        self._resolver.timeout = min(_RETRY_AFTER, timeout / 2)
        self._resolver.lifetime = timeout
        self._answered = False
        self._silent = False

    @property
    def nameservers(self) -> list[str]:
        """The addresses of the name servers that are asked, in this order."""
        return [str(one) for one in self._resolver.nameservers]

    def query(self, name: str, rdtype: str) -> Answer:
        """See :meth:`.lookup.Lookup.query`."""
        if self._silent:
            raise LookupTimedOut(name, rdtype, "was not asked for, since no name server had answered before")
        labels = [label.encode("ascii") for label in normalize(name).split(".") if label]
        try:
            found = self._resolver.resolve(dns.name.Name([*labels, b""]), rdtype, raise_on_no_answer=False)
        except dns.resolver.NXDOMAIN:
            self._answered = True
            return Answer(exists=False)
        except dns.exception.Timeout as error:
            self._silent = not self._answered and not self._answers()
            raise LookupTimedOut(name, rdtype, f"got no answer within {self._resolver.lifetime:g} s") from error
        except dns.resolver.NoNameservers as error:
            self._answered = True
            raise ServerFailure(name, rdtype, f"failed ({_server_errors(error)})") from error
        except dns.exception.DNSException as error:
            raise ServerFailure(name, rdtype, f"failed ({error})") from error
        self._answered = True
        # Servers rotate their answers, but the same records must give the same findings.
        return Answer(tuple(sorted(map(_value, found.rrset or ()))))

    def _answers(self) -> bool:
        """Whether any server answers, with whatever: the servers of one domain may be down, and those of all not."""
        try:
            self._resolver.resolve(dns.name.root, "NS", lifetime=_LAST_CHANCE, raise_on_no_answer=False)
        except dns.exception.Timeout:
            return False
        except dns.exception.DNSException:
            pass
        self._answered = True
        return True


def _system_resolver() -> dns.resolver.Resolver:
    try:
        return dns.resolver.Resolver()
    except dns.exception.DNSException as error:
        raise ResolverUnavailable(f"the system has no name server: {error}; set nameservers") from error


def _resolver_for(nameservers: t.Sequence[str]) -> dns.resolver.Resolver:
    ports = dict(map(parse_nameserver, nameservers))
    resolver = dns.resolver.Resolver(configure=False)
    resolver.nameservers = list(ports)
    resolver.nameserver_ports = ports
    return resolver


def _server_errors(error: dns.resolver.NoNameservers) -> str:
    """The error of each server, such as ``192.0.2.53: SERVFAIL``."""
    attempts = error.kwargs.get("errors") or ()
    # Newer releases of dnspython write the server as Do53:192.0.2.53@53.
    servers = [str(attempt[0]).removeprefix("Do53:").partition("@")[0] for attempt in attempts]
    return ", ".join(f"{server}: {attempt[3]}" for server, attempt in zip(servers, attempts))


def _value(record: dns.rdata.Rdata) -> str:
    """The text of one record in the form that :class:`~.lookup.Answer` documents."""
    strings = getattr(record, "strings", None)
    if strings is not None:
        # RFC 7208 section 3.3: the strings are joined without spaces. One character for each octet: an escape made of
        # ASCII characters would look like text that was published.
        return b"".join(strings).decode("latin-1")
    *fields, name = record.to_text().split(" ")
    return " ".join([*fields, without_final_dot(name)])

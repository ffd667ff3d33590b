# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lookups over the network. The only file that imports dnspython."""

from __future__ import annotations

import ipaddress
import re
import time
import typing as t

from .dns_errors import LibraryMissing, LookupTimedOut, ResolverUnavailable, ServerFailure
from .lookup import Answer
from .names import normalize, without_final_dot

try:
    import dns.exception
    import dns.flags
    import dns.message
    import dns.name
    import dns.query
    import dns.rcode
    import dns.rdata
    import dns.rdatatype
    import dns.resolver
except ImportError as error:
    DNSPYTHON_IMPORT_ERROR: ImportError | None = error
else:
    DNSPYTHON_IMPORT_ERROR = None

DNS_PORT = 53
_MAX_PORT = 65535
#: The size, in octets, that no path fragments; larger answers come over TCP (DNS flag day 2020).
_EDNS_PAYLOAD = 1232
_WITH_PORT = re.compile(r"(?:\[([0-9a-f:.]+)\]|([0-9.]+)):([0-9]{1,5})", re.IGNORECASE)

_MALFORMED = "it gave a malformed answer"

Server = tuple[str, int]


def parse_nameserver(text: str) -> Server:
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
    """A :class:`~.lookup.Lookup` with dnspython. It keeps no state, so that several threads may use it."""

    def __init__(self, nameservers: t.Sequence[str] = (), timeout: float = 5.0, retries: int = 2) -> None:
        """Use ``nameservers``, or the system's if the list is empty.

        ``timeout`` is in seconds, for each question with its ``retries``, the number of times that it is sent again.
        Raises :class:`LibraryMissing` and :class:`ResolverUnavailable`.
        """
        if DNSPYTHON_IMPORT_ERROR is not None:
            raise LibraryMissing("the Python library dnspython is not installed") from DNSPYTHON_IMPORT_ERROR
        self._servers = list(dict(map(parse_nameserver, nameservers)).items()) if nameservers else _system_servers()
        self._timeout = timeout
        self._rounds = retries + 1

    @property
    def nameservers(self) -> list[str]:
        """The addresses of the name servers that are asked, in this order."""
        return [address for address, _port in self._servers]

    def query(self, name: str, rdtype: str) -> Answer:
        """See :meth:`.lookup.Lookup.query`."""
        return self._ask(self._servers, name, rdtype, dns.flags.RD | dns.flags.AD)

    def unchecked(self, name: str, rdtype: str) -> Answer:
        """See :meth:`.lookup.Lookup.unchecked`. Asks for signatures, too."""
        return self._ask(self._servers, name, rdtype, dns.flags.RD | dns.flags.CD)

    def at(self, server: str, name: str, rdtype: str) -> Answer:
        """See :meth:`.lookup.Lookup.at`. A server that is also one of ``nameservers`` is asked at the port given there.

        An answer without authority is a failure: the server does not serve the zone (RFC 1912 section 2.8).
        """
        return self._ask([(server, dict(self._servers).get(server, DNS_PORT))], name, rdtype, dns.flags.Flag(0))

    def _ask(self, servers: t.Sequence[Server], name: str, rdtype: str, flags: int) -> Answer:
        labels = [label.encode("ascii") for label in normalize(name).split(".") if label]
        asked = dns.name.Name([*labels, b""])
        exchange = _Exchange(asked, rdtype, flags, time.monotonic() + self._timeout)
        response = exchange.run(servers, self._rounds)
        if response is None:
            failure = ServerFailure if exchange.heard else LookupTimedOut
            if any(exchange.faults.values()):
                raise failure(name, rdtype, f"failed ({_told(exchange.faults)})")
            raise failure(name, rdtype, f"got no answer within {self._timeout:g} s")
        try:
            chain = response.resolve_chaining()
        except dns.exception.DNSException as error:
            reason = _fault_of(error, f"it gave an answer that contradicts itself: {error}")
            raise ServerFailure(name, rdtype, f"failed ({servers[0][0]}: {reason})") from error
        # Servers rotate their answers, but the same records must give the same findings.
        return Answer(
            tuple(sorted(map(_value, chain.answer or ()))),
            exists=response.rcode() != dns.rcode.NXDOMAIN,
            aliases=tuple(_value(record) for alias in chain.cnames for record in alias),
            secure=bool(response.flags & dns.flags.AD),
            signed=any(rrset.rdtype == dns.rdatatype.RRSIG for rrset in (*response.answer, *response.authority)),
            zone=_zone(response),
        )


class _Exchange:
    """One question and the attempts to have it answered until ``deadline``."""

    def __init__(self, name: dns.name.Name, rdtype: str, flags: int, deadline: float) -> None:
        self._name = name
        self._rdtype = rdtype
        self._flags = flags
        self._deadline = deadline
        self._plain: set[Server] = set()
        #: What was wrong with the last answer of each server, by its address. None stands for no answer.
        self.faults: dict[str, str | None] = {}
        #: Whether any server answered, with whatever.
        self.heard = False

    def run(self, servers: t.Sequence[Server], rounds: int) -> dns.message.QueryMessage | None:
        """Ask the servers in turn, each time with twice the patience. None if no server gives a usable answer."""
        asked = list(servers)
        share = (self._deadline - time.monotonic()) / ((2**rounds - 1) * len(servers))
        for number in range(rounds):
            for server in tuple(asked):
                # In the last round, an answer from elsewhere ends the attempt, so that it can be told. Before, it is
                # ignored, so that strangers cannot keep the answer away.
                response = self._attempt(server, share * 2**number, strict=number == rounds - 1)
                if response is None:
                    continue
                self.heard = True
                fault = self._fault(server, response)
                if fault is None and isinstance(response, dns.message.QueryMessage):
                    return response
                self.faults[server[0]] = fault or _MALFORMED
                if response.rcode() != dns.rcode.SERVFAIL and server not in self._plain:
                    asked.remove(server)  # SERVFAIL may pass; other errors do not
        return None

    def _fault(self, server: Server, response: dns.message.Message) -> str | None:
        rcode = response.rcode()
        if rcode in (dns.rcode.FORMERR, dns.rcode.NOTIMP) and server not in self._plain:
            self._plain.add(server)  # an old server that does not know EDNS (RFC 6891 section 7)
            return dns.rcode.to_text(rcode)
        if rcode not in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN):
            return dns.rcode.to_text(rcode)
        authoritative = self._flags & dns.flags.RD or response.flags & dns.flags.AA
        return None if authoritative else "it is not authoritative for the zone"

    def _attempt(self, server: Server, patience: float, *, strict: bool) -> dns.message.Message | None:
        address, port = server
        self.faults.setdefault(address, None)
        left = self._deadline - time.monotonic()
        if left <= 0:
            return None
        query = self._message(server)
        truncated = ""
        try:
            try:
                return dns.query.udp(
                    query,
                    address,
                    timeout=min(patience, left),
                    port=port,
                    ignore_unexpected=not strict,
                    raise_on_truncation=True,
                )
            except dns.message.Truncated:
                self.heard = True
                truncated = "its answer over UDP is truncated, and over TCP "
                # All the time that is left: the server is there.
                return dns.query.tcp(query, address, timeout=self._deadline - time.monotonic(), port=port)
        except dns.exception.Timeout:
            if truncated:
                self.faults[address] = f"{truncated}there is none in time"
        except (dns.exception.DNSException, ValueError) as error:  # dnspython 2.3 raises ValueError for a bad opcode
            self.heard = True
            self.faults[address] = truncated + _fault_of(error, _MALFORMED)
        except (OSError, EOFError) as error:
            reason = getattr(error, "strerror", None) or "the connection was closed"
            self.faults[address] = f"{truncated}{reason}"
        return None

    def _message(self, server: Server) -> dns.message.Message:
        edns = -1 if server in self._plain else 0
        checked = not self._flags & dns.flags.CD
        message = dns.message.make_query(self._name, self._rdtype, use_edns=edns, payload=_EDNS_PAYLOAD)
        message.flags = dns.flags.Flag(self._flags)
        if edns == 0 and not checked:
            message.want_dnssec()
        return message


def _fault_of(error: Exception, otherwise: str) -> str:
    """What a server did wrong."""
    faults: dict[type, str] = {
        dns.query.BadResponse: "it answered another question",
        dns.query.UnexpectedSource: "the answer came from another address",
        dns.message.ChainTooLong: "its aliases lead in a circle or are too many",
        dns.message.AnswerForNXDOMAIN: "it gave records of a name that does not exist",
    }
    return faults.get(type(error), otherwise)


def _system_servers() -> list[Server]:
    try:
        system = dns.resolver.Resolver()
    except dns.exception.DNSException as error:
        raise ResolverUnavailable(f"the system has no name server: {error}; set nameservers") from error
    return [(str(one), DNS_PORT) for one in system.nameservers]


def _told(faults: t.Mapping[str, str | None]) -> str:
    """The fault of each server, such as ``192.0.2.53: SERVFAIL``."""
    return ", ".join(f"{address}: {fault or 'no answer'}" for address, fault in faults.items())


def _zone(response: dns.message.Message) -> str:
    sections = (*response.answer, *response.authority)
    names = [rrset.name for rrset in sections if rrset.rdtype == dns.rdatatype.SOA]
    return without_final_dot(names[0].to_text()).lower() if names else ""


def _value(record: dns.rdata.Rdata) -> str:
    """The text of one record in the form that :class:`~.lookup.Answer` documents."""
    strings = getattr(record, "strings", None)
    if strings is not None:
        # RFC 7208 section 3.3: the strings are joined without spaces. One character for each octet: an escape made of
        # ASCII characters would look like text that was published.
        return b"".join(strings).decode("latin-1")
    *fields, name = record.to_text().split(" ")
    return " ".join([*fields, without_final_dot(name)])

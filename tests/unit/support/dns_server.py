# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A small name server on loopback, over UDP and TCP on one port, that can also misbehave."""

from __future__ import annotations

import contextlib
import dataclasses
import socket
import socketserver
import struct
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset

_LARGEST = 65535
#: The largest answer over UDP to a query without EDNS.
_PLAIN_UDP = 512


@dataclasses.dataclass
class DnsServer:
    """The answers of the server. All names are without the final dot."""

    #: name -> type -> the texts of its records, as in a zone file.
    zone: Mapping[str, Mapping[str, Sequence[str]]]
    #: name -> the response code, such as SERVFAIL.
    rcodes: Mapping[str, dns.rcode.Rcode] = dataclasses.field(default_factory=dict)
    #: Names whose queries get no answer.
    silent: frozenset[str] = frozenset()
    #: Names whose UDP answer is truncated, so that the client must retry over TCP.
    truncated: frozenset[str] = frozenset()
    #: Names whose answers DNSSEC proves, and names whose signatures are wrong: SERVFAIL unless the query has CD.
    secure: frozenset[str] = frozenset()
    bogus: frozenset[str] = frozenset()
    #: What becomes of the answer to a query, by name: other octets.
    odd: Mapping[str, Callable[[bytes], bytes]] = dataclasses.field(default_factory=dict)
    #: Names whose answers over UDP come from another address.
    elsewhere: frozenset[str] = frozenset()
    #: Names whose answers over TCP come an octet at a time.
    dripping: frozenset[str] = frozenset()
    #: (transport, name, type) of each query received.
    asked: list[tuple[str, str, str]] = dataclasses.field(default_factory=list)
    port: int = 0

    @property
    def nameserver(self) -> str:
        """The value for the option ``nameservers``."""
        return f"127.0.0.1:{self.port}"

    def respond(self, wire: bytes, transport: str) -> bytes | None:
        """The answer to one query, or None to stay silent."""
        query = dns.message.from_wire(wire)
        question = query.question[0]
        name, rdtype = str(question.name).rstrip(".").lower(), dns.rdatatype.to_text(question.rdtype)
        self.asked.append((transport, name, rdtype))
        if name in self.silent:
            return None
        response = dns.message.make_response(query)
        response.flags |= dns.flags.RA if query.flags & dns.flags.RD else dns.flags.AA
        if transport == "udp" and name in self.truncated:
            response.flags |= dns.flags.TC
        else:
            self._fill(response, name, rdtype)
            self._judge(query, response, name)
        answer = response.to_wire(max_size=_LARGEST)
        if transport == "udp" and len(answer) > max(query.payload, _PLAIN_UDP):
            response = dns.message.make_response(query)
            response.flags |= dns.flags.TC
            answer = response.to_wire()
        return self.odd.get(name, bytes)(answer)

    def last_asked(self) -> str:
        """The name in the last query."""
        return self.asked[-1][1]

    def _judge(self, query: dns.message.Message, response: dns.message.Message, name: str) -> None:
        """Set what a server that validates says of DNSSEC."""
        if name in self.secure and query.flags & dns.flags.AD:
            response.flags |= dns.flags.AD
        if name in self.bogus and not query.flags & dns.flags.CD:
            response.answer.clear()
            response.set_rcode(dns.rcode.SERVFAIL)

    def _fill(self, response: dns.message.Message, name: str, rdtype: str) -> None:
        records = self.zone.get(name)
        response.set_rcode(self.rcodes.get(name, dns.rcode.NXDOMAIN if records is None else dns.rcode.NOERROR))
        if not records or rdtype not in records:
            self._name_zone(response, name)
        if not records:
            return
        if "CNAME" in records and rdtype != "CNAME":
            response.answer.append(dns.rrset.from_text(f"{name}.", 60, "IN", "CNAME", records["CNAME"][0]))
            target = records["CNAME"][0].rstrip(".")
            if target not in {str(rrset.name).rstrip(".") for rrset in response.answer}:
                self._fill(response, target, rdtype)
        elif rdtype in records:
            response.answer.append(dns.rrset.from_text(f"{name}.", 60, "IN", rdtype, *records[rdtype]))

    def _name_zone(self, response: dns.message.Message, name: str) -> None:
        """Add the SOA record of the zone, as a server does if there is no such record (RFC 2308)."""
        zones = [zone for zone, records in self.zone.items() if "SOA" in records and f".{name}".endswith(f".{zone}")]
        for zone in sorted(zones, key=len)[-1:]:
            response.authority.append(dns.rrset.from_text(f"{zone}.", 60, "IN", "SOA", *self.zone[zone]["SOA"]))


#: Seconds between two octets of an answer that drips.
_DRIP = 0.05


class _UdpServer(socketserver.ThreadingUDPServer):
    dns: DnsServer


class _TcpServer(socketserver.ThreadingTCPServer):
    dns: DnsServer


class _UdpHandler(socketserver.BaseRequestHandler):
    server: _UdpServer

    def handle(self) -> None:
        wire, own = self.request
        answer = self.server.dns.respond(wire, "udp")
        if answer is None:
            return
        if self.server.dns.last_asked() not in self.server.dns.elsewhere:
            own.sendto(answer, self.client_address)
            return
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
            other.bind(("127.0.0.2", 0))
            other.sendto(answer, self.client_address)


class _TcpHandler(socketserver.StreamRequestHandler):
    server: _TcpServer

    def handle(self) -> None:
        size = self.rfile.read(2)
        answer = self.server.dns.respond(self.rfile.read(*struct.unpack("!H", size)), "tcp") if size else None
        if answer is None:
            return
        framed = struct.pack("!H", len(answer)) + answer
        if self.server.dns.last_asked() not in self.server.dns.dripping:
            self.wfile.write(framed)
            return
        with contextlib.suppress(OSError):
            for octet in framed:
                self.wfile.write(bytes([octet]))
                time.sleep(_DRIP)


def _bind() -> tuple[_UdpServer, _TcpServer]:
    """Bind both transports to one free port; a port that is free for one may be in use for the other."""
    while True:
        udp = _UdpServer(("127.0.0.1", 0), _UdpHandler)
        try:
            return udp, _TcpServer(udp.server_address, _TcpHandler)
        except OSError:
            udp.server_close()


@contextlib.contextmanager
def serve(server: DnsServer, *, tcp: bool = True) -> Iterator[DnsServer]:
    """Run ``server`` until the block ends.

    :param tcp: whether it takes connections.
    """
    listeners: list[_UdpServer | _TcpServer] = list(_bind())
    if not tcp:
        listeners.pop().server_close()
    server.port = listeners[0].server_address[1]
    threads = []
    for listener in listeners:
        listener.dns = server
        threads.append(threading.Thread(target=listener.serve_forever, args=(0.01,), daemon=True))
        threads[-1].start()
    try:
        yield server
    finally:
        for listener in listeners:
            listener.shutdown()
            listener.server_close()
        for thread in threads:
            thread.join()

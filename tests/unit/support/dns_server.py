# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A small name server on loopback, over UDP and TCP on one port, that can also misbehave."""

from __future__ import annotations

import contextlib
import dataclasses
import socketserver
import struct
import threading
from collections.abc import Iterator, Mapping, Sequence

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset


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
        response.flags |= dns.flags.RA
        if transport == "udp" and name in self.truncated:
            response.flags |= dns.flags.TC
        else:
            self._fill(response, name, rdtype)
        return response.to_wire()

    def _fill(self, response: dns.message.Message, name: str, rdtype: str) -> None:
        records = self.zone.get(name)
        response.set_rcode(self.rcodes.get(name, dns.rcode.NXDOMAIN if records is None else dns.rcode.NOERROR))
        if not records:
            return
        if "CNAME" in records and rdtype != "CNAME":
            response.answer.append(dns.rrset.from_text(f"{name}.", 60, "IN", "CNAME", records["CNAME"][0]))
            self._fill(response, records["CNAME"][0].rstrip("."), rdtype)
        elif rdtype in records:
            response.answer.append(dns.rrset.from_text(f"{name}.", 60, "IN", rdtype, *records[rdtype]))


class _UdpServer(socketserver.ThreadingUDPServer):
    dns: DnsServer


class _TcpServer(socketserver.ThreadingTCPServer):
    dns: DnsServer


class _UdpHandler(socketserver.BaseRequestHandler):
    server: _UdpServer

    def handle(self) -> None:
        wire, socket = self.request
        answer = self.server.dns.respond(wire, "udp")
        if answer is not None:
            socket.sendto(answer, self.client_address)


class _TcpHandler(socketserver.StreamRequestHandler):
    server: _TcpServer

    def handle(self) -> None:
        size = self.rfile.read(2)
        answer = self.server.dns.respond(self.rfile.read(*struct.unpack("!H", size)), "tcp") if size else None
        if answer is not None:
            self.wfile.write(struct.pack("!H", len(answer)) + answer)


def _bind() -> tuple[_UdpServer, _TcpServer]:
    """Bind both transports to one free port; a port that is free for one may be in use for the other."""
    while True:
        udp = _UdpServer(("127.0.0.1", 0), _UdpHandler)
        try:
            return udp, _TcpServer(udp.server_address, _TcpHandler)
        except OSError:
            udp.server_close()


@contextlib.contextmanager
def serve(server: DnsServer) -> Iterator[DnsServer]:
    """Run ``server`` until the block ends."""
    listeners = _bind()
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

# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The faulty peer as a server on a host of the lab: ``python3 serve.py PORT CONTROL_PORT``, with peer.py beside it.

A client of the control port on loopback sends one JSON object on a line and receives one. Keys of a request:

    listen       whether the server accepts connections
    certificate  file with key and chain for STARTTLS; null disables STARTTLS
    rules        faults, which replace earlier rules: each with ``stage``, ``do`` (the name of a Fault, or a reply) and
                 optionally ``sender`` and the number of ``times``
    forget       whether to forget messages and commands received so far

The response has ``taken``, the beginning of each message that was received up to its end, and ``commands``, all
commands received.
"""

from __future__ import annotations

import json
import socketserver
import ssl
import sys
import threading
import typing as t

from peer import Fault, Moment, Peer  # type: ignore[import-not-found,unused-ignore]  # in the same directory on each host

EXTENSIONS = ("PIPELINING", "SIZE 30000000", "ENHANCEDSTATUSCODES", "8BITMIME", "SMTPUTF8", "AUTH PLAIN LOGIN")
LONGEST = 50_000  # octets of a message in a response


class FaultyServer:
    """A peer whose state is kept when it stops listening."""

    def __init__(self, port: int) -> None:
        self._rules: list[dict[str, t.Any]] = []
        self._lock = threading.Lock()
        self._peer = Peer(extensions=EXTENSIONS, disturb=self._disturb, address=("", port))
        self._listening = False

    def handle(self, request: dict[str, t.Any]) -> dict[str, t.Any]:
        """Carry out a request and return what was received so far."""
        if "certificate" in request:
            self._peer.tls = _context(request["certificate"])
        if "rules" in request:
            with self._lock:
                self._rules = request["rules"]
        if request.get("forget"):
            self._peer.receipts.clear()
            self._peer.commands.clear()
        if request.get("listen", self._listening) != self._listening:
            self._listening = not self._listening
            if self._listening:
                self._peer.__enter__()
            else:
                self._peer.__exit__()
        taken = [
            {
                "sender": receipt.sender,
                "recipients": receipt.recipients,
                "accepted": bool(receipt.accepted),
                "content": receipt.content[:LONGEST].decode("latin-1"),
            }
            for receipt in list(self._peer.receipts)
        ]
        return {"taken": taken, "commands": list(self._peer.commands)}

    def _disturb(self, moment: Moment) -> Fault | str | None:
        with self._lock:
            for rule in self._rules:
                if rule["stage"] != moment.stage or rule.get("sender", moment.sender) != moment.sender:
                    continue
                if rule.get("times", 1) > 0:
                    if "times" in rule:
                        rule["times"] -= 1
                    return Fault[rule["do"]] if rule["do"] in Fault.__members__ else str(rule["do"])
        return None


def _context(certificate: str | None) -> ssl.SSLContext | None:
    if certificate is None:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    return context


def main() -> None:
    """Serve until the process is killed."""
    port, control_port = map(int, sys.argv[1:])
    service = FaultyServer(port)

    class Control(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            answer = service.handle(json.loads(self.rfile.readline()))
            self.wfile.write(json.dumps(answer).encode() + b"\n")

    socketserver.TCPServer.allow_reuse_address = True
    with socketserver.TCPServer(("127.0.0.1", control_port), Control) as server:
        server.serve_forever()


if __name__ == "__main__":
    main()

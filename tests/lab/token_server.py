# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The OAuth2 server of the lab's provider: grants tokens over HTTPS, and tells Dovecot whose token is valid.

Runs on ``upstream`` as lab-tokens.service, with the standard library and openssl. Reads :data:`CONFIGURATION`, a JSON
object: ``certificate`` and ``key``, and ``clients`` by ID, each with ``user`` and its ``secret``, ``refresh_token`` or
``certificate`` (PEM). Three listeners:

    443                 any path: grants client_credentials, refresh_token and jwt-bearer
    127.0.0.1:8091      /introspect for Dovecot, /control for tests
    127.0.0.1:10024     a policy service for Postfix: as many messages at a time as ``threads``

``token_server.py '{"life": 60}'`` changes switches of the running server and prints all of them with the counts of
requests; ``{}`` only prints them, and ``{"reset": true}`` restores the usual values.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import hmac
import http.server
import json
import os
import secrets
import socket
import socketserver
import ssl
import struct
import subprocess
import sys
import tempfile
import threading
import time
import typing as t
import urllib.parse
import urllib.request

CONFIGURATION = "/etc/lab-tokens.json"
PORT, LOOPBACK_PORT, POLICY_PORT = 443, 8091, 10024
#: Seconds that a clock may be wrong.
SKEW = 300
#: Seconds after which no further message is expected.
TOO_LONG = 60
ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
JWT_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
PADDINGS = {
    "RS256": [],
    "PS256": ["-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:digest"],
}
SWITCHES: dict[str, t.Any] = {
    "life": 3600,  # seconds of a new token
    "size": 0,  # octets of a new token, at least
    "delay": 0.0,  # seconds before each answer
    "down": False,  # connections are reset
    "answer": None,  # [status, body] in place of each answer
    "clock": 0,  # seconds by which the clock of this server is wrong
    "revoked": [],  # clients whose secret has expired
    "strict": False,  # a refresh token can be used once
    "forget": False,  # no token is valid any more; becomes false at once
    "threads": 1000,  # messages that Postfix may take at a time
    "hold": 0.0,  # seconds that each message takes; until more than ``threads`` came at a time, each takes longer
}


class Refused(Exception):
    """A refusal of RFC 6749 section 5.2: status, error and description."""


class Tokens:
    """What the server knows: clients, tokens and switches. One lock guards all of it.

    :ivar tokens: token -> user and time of expiry.
    :ivar counts: what was asked for -> how often; ``peak`` is the largest number of messages at a time.
    """

    def __init__(self, clients: dict[str, dict[str, t.Any]]) -> None:
        self.lock = threading.Lock()
        self.clients = clients
        self.tokens: dict[str, tuple[str, float]] = {}
        self.refresh = {client.get("refresh_token"): name for name, client in clients.items()}
        self.switches = dict(SWITCHES)
        self.counts: dict[str, int] = {}
        self.active = 0

    def count(self, what: str) -> None:
        with self.lock:
            self.counts[what] = self.counts.get(what, 0) + 1

    def control(self, wanted: dict[str, t.Any]) -> dict[str, t.Any]:
        """Change switches; return all of them, and the counts."""
        unknown = wanted.keys() - SWITCHES.keys() - {"reset"}
        if unknown:
            raise ValueError(f"unknown switches: {sorted(unknown)}; expected {sorted(SWITCHES)}")
        with self.lock:
            if wanted.pop("reset", False):
                self.switches, self.counts = dict(SWITCHES), {}
                self.refresh = {client.get("refresh_token"): name for name, client in self.clients.items()}
            self.switches.update(wanted)
            if self.switches.pop("forget", False):
                self.tokens.clear()
            self.switches["forget"] = False
            return {**self.switches, "counts": dict(self.counts)}

    def now(self) -> float:
        return time.time() + float(self.switches["clock"])

    def grant(self, fields: dict[str, str]) -> dict[str, t.Any]:
        """Return the answer to a request for a token."""
        grant = fields.get("grant_type", "")
        self.count(grant)
        makers = {
            "client_credentials": self.as_the_client,
            "refresh_token": self.as_a_user,
            JWT_GRANT: self.as_a_service,
        }
        if grant not in makers:
            raise Refused(400, "unsupported_grant_type", f"AADSTS70003: {grant!r} is not supported.")
        user, more = makers[grant](fields)
        token = "lab." + secrets.token_urlsafe(max(32, int(self.switches["size"]) * 3 // 4))
        life = int(self.switches["life"])
        with self.lock:
            self.tokens[token] = user, time.time() + life
            self.counts["granted"] = self.counts.get("granted", 0) + 1
        return {"token_type": "Bearer", "expires_in": life, "access_token": token, **more}

    def as_the_client(self, fields: dict[str, str]) -> tuple[str, dict[str, str]]:
        """RFC 6749 section 4.4, with a secret or with a signed assertion (RFC 7523 section 2.2)."""
        name = fields.get("client_id", "")
        if fields.get("client_assertion_type") == ASSERTION:
            claims = self.claims(name, fields.get("client_assertion", ""), "invalid_client", fields["audience"])
            if claims.get("iss") != name or claims.get("sub") != name or not claims.get("jti"):
                raise Refused(401, "invalid_client", "AADSTS700030: iss and sub must be the client, and jti be there.")
        else:
            self.check_secret(name, fields)
        return self.clients[name]["user"], {}

    def as_a_user(self, fields: dict[str, str]) -> tuple[str, dict[str, str]]:
        """RFC 6749 section 6; the answer has a new refresh token, as Microsoft's has."""
        old, name = fields.get("refresh_token", ""), fields.get("client_id", "")
        if "client_secret" in fields:
            self.check_secret(name, fields)
        new = secrets.token_urlsafe(24)
        with self.lock:
            if not old or self.refresh.get(old) != name or name in self.switches["revoked"]:
                raise Refused(400, "invalid_grant", "AADSTS700082: The refresh token has expired due to inactivity.")
            self.refresh[new] = name
            if self.switches["strict"]:
                del self.refresh[old]
        return self.clients[name]["user"], {"refresh_token": new}

    def as_a_service(self, fields: dict[str, str]) -> tuple[str, dict[str, str]]:
        """A service account of Google that signs for a user (RFC 7523 section 2.1)."""
        assertion = fields.get("assertion", "")
        with contextlib.suppress(ValueError, IndexError):
            issuer = json.loads(decoded(assertion.split(".")[1])).get("iss", "")
            claims = self.claims(issuer, assertion, "invalid_grant", fields["audience"])
            if claims["exp"] - claims["iat"] > 3600:
                raise Refused(400, "invalid_grant", "Invalid JWT: Token must be a short-lived token (60 minutes).")
            if not claims.get("scope"):
                raise Refused(400, "invalid_scope", "Empty or missing scope not allowed.")
            if claims.get("sub") != self.clients[issuer]["user"]:
                raise Refused(401, "unauthorized_client", "Client is unauthorized for this user or scope.")
            return claims["sub"], {}
        raise Refused(400, "invalid_grant", "Invalid JWT.")

    def check_secret(self, name: str, fields: dict[str, str]) -> None:
        expected = self.clients.get(name, {}).get("secret") or ""
        if not expected or not hmac.compare_digest(expected, fields.get("client_secret", "")):
            raise Refused(401, "invalid_client", "AADSTS7000215: Invalid client secret provided.")
        if name in self.switches["revoked"]:
            raise Refused(401, "invalid_client", "AADSTS7000222: The provided client secret keys are expired.")

    def claims(self, name: str, assertion: str, error: str, audience: str) -> dict[str, t.Any]:
        """Return the claims of a JWT that this client signed for this server, now."""
        try:
            header, body, signature = assertion.split(".")
            kind, claims = json.loads(decoded(header)), json.loads(decoded(body))
            certificate = self.clients[name]["certificate"]
            padding = PADDINGS[kind["alg"]]
            begins, ends = float(claims.get("nbf", claims.get("iat"))), float(claims["exp"])
        except (ValueError, KeyError, TypeError) as problem:
            raise Refused(401, error, f"AADSTS50027: Invalid JWT token: {type(problem).__name__}.") from None
        print_of = hashlib.sha256(ssl.PEM_cert_to_DER_cert(certificate[: certificate.index("-----END") + 26])).digest()
        if kind.get("x5t#S256", encoded(print_of)) != encoded(print_of):
            raise Refused(401, error, "AADSTS700027: The certificate with this thumbprint is not registered.")
        if name in self.switches["revoked"] or not signed(certificate, padding, f"{header}.{body}", decoded(signature)):
            raise Refused(401, error, "AADSTS700027: Client assertion contains an invalid signature.")
        if claims.get("aud") != audience:
            raise Refused(401, error, f"AADSTS700023: Client assertion audience claim does not match {audience}.")
        if begins > self.now() + SKEW or ends < self.now() - SKEW or begins < self.now() - 86400:
            raise Refused(401, error, "AADSTS700024: Client assertion is not within its valid time range.")
        return dict(claims)

    def introspect(self, token: str) -> dict[str, t.Any]:
        """RFC 7662."""
        self.count("introspect")
        with self.lock:
            user, ends = self.tokens.get(token, ("", 0.0))
        return {"active": True, "username": user, "exp": int(ends)} if ends > time.time() else {"active": False}

    def peak(self) -> int:
        """Return how many messages came at a time at most."""
        with self.lock:
            return self.counts.get("peak", 0)

    def submit(self) -> str:
        """Return what Postfix does with a message: accept it, or refuse it with the words of Microsoft."""
        with self.lock:
            self.active += 1
            self.counts["peak"] = max(self.counts.get("peak", 0), self.active)
            refused = self.active > self.switches["threads"]
            hold, threads = self.switches["hold"], self.switches["threads"]
        began = time.monotonic()
        while (held := time.monotonic() - began) < hold or (hold and self.peak() <= threads and held < TOO_LONG):
            time.sleep(0.02)
        with self.lock:
            self.active -= 1
        self.count("refused" if refused else "accepted")
        return "432 4.3.2 STOREDRV.ClientSubmit; sender thread limit exceeded" if refused else "DUNNO"


def decoded(text: str) -> bytes:
    """Return the octets of base64url without padding (RFC 7515 section 2)."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def encoded(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


def signed(certificate: str, padding: list[str], text: str, signature: bytes) -> bool:
    """Return whether the key of the certificate signed the text, as openssl sees it."""
    with tempfile.TemporaryDirectory() as folder:
        files = {"certificate": certificate.encode(), "signature": signature}
        for name, content in files.items():
            with open(os.path.join(folder, name), "wb") as file:
                file.write(content)
        read = ["openssl", "x509", "-in", f"{folder}/certificate", "-noout", "-pubkey", "-out", f"{folder}/key"]
        verify = ["openssl", "dgst", "-sha256", *padding, "-verify", f"{folder}/key"]
        subprocess.run(read, check=True, timeout=10)
        done = subprocess.run(
            [*verify, "-signature", f"{folder}/signature"],
            input=text.encode(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=10,
            check=False,
        )
    return done.returncode == 0


class Handler(http.server.BaseHTTPRequestHandler):
    """One connection; a listener's subclass answers."""

    known: Tokens

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        self.answer_to(self.rfile.read(length))

    def answer_to(self, body: bytes) -> None:
        raise NotImplementedError

    def send(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def date_time_string(self, timestamp: float | None = None) -> str:
        return super().date_time_string(self.known.now() if timestamp is None else timestamp)

    def log_message(self, *arguments: t.Any) -> None:
        """Log nothing: a request may hold secrets."""


class TokenHandler(Handler):
    """Grants tokens."""

    def answer_to(self, body: bytes) -> None:
        known = self.known
        if known.switches["down"]:
            known.count("reset")
            linger = struct.pack("ii", 1, 0)
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            self.close_connection = True
            return
        time.sleep(float(known.switches["delay"]))
        answer = [*(known.switches["answer"] or ())]
        if answer:
            known.count("answer")
            self.send(answer[0], answer[1].encode())
            return
        fields = dict(urllib.parse.parse_qsl(body.decode("ascii", "replace")))
        fields["audience"] = f"https://{self.headers.get('Host', '')}{self.path}"
        try:
            self.send(200, json.dumps(known.grant(fields)).encode())
        except Refused as refusal:
            status, error, description = refusal.args
            known.count("denied")
            self.send(status, json.dumps({"error": error, "error_description": description}).encode())


class LoopbackHandler(Handler):
    """Tells Dovecot about tokens, and takes the orders of tests."""

    def answer_to(self, body: bytes) -> None:
        if self.path == "/control":
            try:
                status, answer = 200, self.known.control(json.loads(body))
            except ValueError as problem:
                status, answer = 400, {"problem": str(problem)}
        else:
            status = 200
            answer = self.known.introspect(
                dict(urllib.parse.parse_qsl(body.decode("ascii", "replace"))).get("token", "")
            )
        self.send(status, json.dumps(answer).encode())


class PolicyHandler(socketserver.StreamRequestHandler):
    """Answers Postfix's policy requests: lines up to an empty one."""

    known: Tokens

    def handle(self) -> None:
        for line in self.rfile:
            if line == b"\n":
                self.wfile.write(f"action={self.known.submit()}\n\n".encode())


class PolicyServer(socketserver.ThreadingTCPServer):
    """A thread for each process of Postfix."""

    allow_reuse_address = daemon_threads = True


def serve() -> None:
    """Run the three listeners until the unit is stopped."""
    with open(CONFIGURATION, encoding="utf-8") as file:
        configuration = json.load(file)
    known = Tokens(configuration["clients"])
    for handler in (Handler, PolicyHandler):
        handler.known = known
    tokens = http.server.ThreadingHTTPServer(("", PORT), TokenHandler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(configuration["certificate"], configuration["key"])
    # Each connection's own thread makes the handshake, so that a silent client stops no other.
    tokens.socket = context.wrap_socket(tokens.socket, server_side=True, do_handshake_on_connect=False)
    policy = PolicyServer(("127.0.0.1", POLICY_PORT), PolicyHandler)
    loopback = http.server.ThreadingHTTPServer(("127.0.0.1", LOOPBACK_PORT), LoopbackHandler)
    for server in (tokens, policy):
        threading.Thread(target=server.serve_forever, daemon=True).start()
    loopback.serve_forever()


def order(wanted: str) -> None:
    """Send an order to the running server, and print its answer."""
    url = f"http://127.0.0.1:{LOOPBACK_PORT}/control"
    with urllib.request.urlopen(url, wanted.encode(), timeout=10) as answer:
        print(answer.read().decode())


if __name__ == "__main__":
    order(sys.argv[1]) if sys.argv[1:] else serve()

# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The demo without a lab: playbooks/notify.yml sends to an SMTP server in this process, with TLS and a login."""

from __future__ import annotations

import secrets
import socket
import ssl
import subprocess
import sys
import tempfile
import typing as t
from email import message_from_bytes, policy
from pathlib import Path

import trustme
import yaml
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, Envelope, LoginPassword, Session

ROOT = Path(__file__).resolve().parents[2]
USER = "app@sender.test"


class Sink:
    """Keeps received messages with their sessions."""

    def __init__(self, password: str) -> None:
        self._password = password
        self.received: list[tuple[Session, Envelope]] = []

    def authenticate(self, _server: t.Any, _session: t.Any, _envelope: t.Any, _name: str, login: t.Any) -> AuthResult:
        """Accept only the right user and password."""
        good = isinstance(login, LoginPassword) and login == LoginPassword(USER.encode(), self._password.encode())
        return AuthResult(success=good, auth_data=USER)

    async def handle_DATA(self, _server: t.Any, session: Session, envelope: Envelope) -> str:  # aiosmtpd's name
        """Accept a message."""
        self.received.append((session, envelope))
        return "250 2.0.0 Ok: queued as DEMO1"


def main() -> int:
    """Start the server, run the playbook against it and show the message that arrived."""
    sink = Sink(secrets.token_urlsafe(18))
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    controller = Controller(
        sink,
        hostname="localhost",
        port=free_port(),
        tls_context=context,
        require_starttls=True,
        auth_required=True,
        authenticator=sink.authenticate,
    )
    controller.start()
    try:
        with tempfile.TemporaryDirectory() as folder:
            code = play(Path(folder), controller.port, sink, authority)
    finally:
        controller.stop()
    if code or not sink.received:
        return code or 1
    show(*sink.received[0])
    return 0


def free_port() -> int:
    """Return a free port; aiosmtpd needs a port number."""
    with socket.create_server(("localhost", 0)) as probe:
        return int(probe.getsockname()[1])


def play(folder: Path, port: int, sink: Sink, authority: trustme.CA) -> int:
    """Run playbooks/notify.yml as a user would."""
    authority.cert_pem.write_to_path(folder / "ca.pem")
    message = yaml.safe_load((ROOT / "tests/demo/message.yml").read_text())
    message |= {"notify_hosts": "localhost", "notify_server": "localhost", "notify_port": port}
    message |= {"notify_password": sink._password, "notify_ca_file": str(folder / "ca.pem")}
    (folder / "message.yml").write_text(yaml.safe_dump(message))
    (folder / "message.yml").chmod(0o600)
    command = ["ansible-playbook", "playbooks/notify.yml", "-e", f"@{folder}/message.yml"]
    return subprocess.run(command, cwd=ROOT, check=False).returncode


def show(session: t.Any, envelope: Envelope) -> None:
    """Print the message's header fields, and the TLS and login of its only hop."""
    print("\n==> The message that arrived\n")
    message = message_from_bytes(t.cast("bytes", envelope.content), policy=policy.default)
    for name, value in message.items():
        print(f"  {name}: {value}")
    print("\n  Hops:")
    cipher, version, _bits = session.ssl["cipher"]
    print(f"  1. {session.host_name} -> localhost  {version} {cipher}  login {session.auth_data}")


if __name__ == "__main__":
    sys.exit(main())

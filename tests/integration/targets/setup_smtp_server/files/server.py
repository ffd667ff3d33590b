# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An SMTP server with TLS and a login, for one test: ``server.py FOLDER USER``, with the password on standard input.

It writes ``ca.pem`` to the folder, each accepted message as ``1.json``, ``2.json`` and so on, and ``ready.json`` with
its port and process ID once it listens. It refuses ``nobody@`` and exits after five minutes.
"""

from __future__ import annotations

import asyncio
import json
import os
import ssl
import sys
import typing as t
from email import message_from_bytes, policy
from pathlib import Path

import trustme
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

LIFETIME = 300


class ReceivedMail:
    """Stores messages in a folder; aiosmtpd defines the names of the methods."""

    def __init__(self, folder: Path, user: str, password: str) -> None:
        self._folder = folder
        self._login = LoginPassword(user.encode(), password.encode())
        self._count = 0

    def authenticate(self, _server: t.Any, _session: t.Any, _envelope: t.Any, _name: str, login: t.Any) -> AuthResult:
        """Accept only the right user and password."""
        return AuthResult(success=login == self._login, handled=False)

    async def handle_RCPT(
        self, _server: t.Any, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        """Accept every recipient except ``nobody@``."""
        if address.startswith("nobody@"):
            return "550 5.1.1 No such user here"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 Ok"

    async def handle_DATA(self, _server: t.Any, _session: Session, envelope: Envelope) -> str:
        """Store the envelope, the header, the text and the attachments."""
        self._count += 1
        message = message_from_bytes(t.cast("bytes", envelope.content), policy=policy.default)
        files = {part.get_filename(): part.get_content() for part in message.walk() if part.get_filename()}
        body = message.get_body(("plain",))
        kept = {
            "sender": envelope.mail_from,
            "recipients": envelope.rcpt_tos,
            "header": dict(message.items()),
            "body": body.get_content() if body else None,
            "files": files,
        }
        (self._folder / f"{self._count}.json").write_text(json.dumps(kept), encoding="utf-8")
        return f"250 2.0.0 Ok: queued as TEST{self._count}"


async def serve(folder: Path, mailbox: ReceivedMail) -> None:
    """Listen on a free port and write it to ``ready.json``."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(folder / "ca.pem")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)

    def session() -> SMTP:
        return SMTP(
            mailbox,
            hostname="localhost",
            tls_context=context,
            require_starttls=True,
            auth_required=True,
            authenticator=mailbox.authenticate,
            enable_SMTPUTF8=True,
        )

    server = await asyncio.get_running_loop().create_server(session, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    part = folder / "ready.part"
    part.write_text(json.dumps({"port": port, "process": os.getpid()}), encoding="utf-8")
    part.rename(folder / "ready.json")
    await asyncio.sleep(LIFETIME)


if __name__ == "__main__":
    directory = Path(sys.argv[1])
    asyncio.run(serve(directory, ReceivedMail(directory, sys.argv[2], sys.stdin.readline().strip())))

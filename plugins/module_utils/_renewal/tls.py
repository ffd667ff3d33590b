# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""TLS of this host: whether it accepts a certificate with its key, and which one a listener shows."""

from __future__ import annotations

import contextlib
import hashlib
import os
import socket
import ssl

#: Seconds to connect, and for each reply.
_CONNECT = 15.0


def refusal(text: str) -> str:
    """Return why OpenSSL does not load key and chain of a text, as Postfix would; empty if it does."""
    descriptor = os.memfd_create("certificate")  # the key is not written to a disk
    try:
        with open(descriptor, "w", encoding="ascii", errors="replace", closefd=False) as stream:
            stream.write(text)
        path = f"/proc/self/fd/{descriptor}"
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(path, password=lambda: b"")
    except (ssl.SSLError, ValueError) as error:
        return str(error)
    finally:
        os.close(descriptor)
    return ""


def shown(port: int, implicit: bool) -> str:
    """Return the SHA-256 of the certificate that a listener of this host shows; empty if it shows none.

    :param implicit: whether TLS begins at once; else the listener speaks SMTP.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE  # the octets are compared
    for address in ("127.0.0.1", "::1"):
        with contextlib.suppress(OSError), socket.create_connection((address, port), _CONNECT) as plain:
            if not implicit:
                _start_tls(plain)
            with context.wrap_socket(plain) as connection:
                return hashlib.sha256(connection.getpeercert(binary_form=True) or b"").hexdigest()
    return ""


def _start_tls(connection: socket.socket) -> None:
    """Speak SMTP up to TLS (RFC 3207)."""
    with connection.makefile("rb") as replies:
        for command in (b"", b"EHLO localhost\r\n", b"STARTTLS\r\n"):
            connection.sendall(command)
            line = replies.readline(2048)
            while line[3:4] == b"-":
                line = replies.readline(2048)
            if not line.startswith(b"2"):
                raise OSError(f"refused: {line!r}")

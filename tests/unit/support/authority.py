# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A certification authority and a TLS server context with a certificate from it."""

from __future__ import annotations

import hashlib
import ssl
import typing as t
from pathlib import Path

import trustme


class Authority(t.NamedTuple):
    """An authority, and a server with a certificate of it.

    :param server: the server's TLS context.
    :param ca_file: path of the authority's certificate, in the directory ``folder``.
    :param digest: SHA-256 of the server's certificate, in hexadecimal.
    """

    ca: trustme.CA
    server: ssl.SSLContext
    ca_file: str
    folder: Path
    digest: str


def authority_for(name: str, folder: Path) -> Authority:
    """Create an authority and a server certificate.

    :param name: the host name or address of the server.
    :param folder: where the authority's certificate is written.
    """
    ca = trustme.CA()
    certificate = ca.issue_cert(name)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    path = folder / "ca.pem"
    ca.cert_pem.write_to_path(path)
    der = ssl.PEM_cert_to_DER_cert(certificate.cert_chain_pems[0].bytes().decode())
    return Authority(ca, context, str(path), folder, hashlib.sha256(der).hexdigest())

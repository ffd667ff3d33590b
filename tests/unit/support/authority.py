# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A certification authority and a TLS server context with a certificate from it."""

from __future__ import annotations

import ssl
import typing as t
from pathlib import Path

import trustme


class Authority(t.NamedTuple):
    """The TLS context of the server, and the file with the authority's certificate for the client."""

    server: ssl.SSLContext
    ca_file: str


def authority_for(name: str, folder: Path) -> Authority:
    """Create an authority and a server certificate.

    :param name: the host name or address of the server.
    :param folder: where the authority's certificate is written.
    """
    ca = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert(name).configure_cert(context)
    path = folder / "ca.pem"
    ca.cert_pem.write_to_path(path)
    return Authority(context, str(path))

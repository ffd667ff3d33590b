# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A certification authority, and a server that has a certificate of it."""

from __future__ import annotations

import ssl
import typing as t
from pathlib import Path

import trustme


class Authority(t.NamedTuple):
    """What a server needs, and what a client."""

    server: ssl.SSLContext
    ca_file: str


def authority_for(name: str, folder: Path) -> Authority:
    """:param name: of the server, a host name or an address."""
    ca = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert(name).configure_cert(context)
    path = folder / "ca.pem"
    ca.cert_pem.write_to_path(path)
    return Authority(context, str(path))

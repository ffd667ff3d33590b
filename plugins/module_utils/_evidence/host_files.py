# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Facts about keys, certificates and other files. They never hold the content of a key or a table."""

from __future__ import annotations

import dataclasses

from .certificate import CertificateFacts
from .document import Moment, fact


@dataclasses.dataclass(frozen=True)
class HostFile:
    """A file that the configuration names."""

    path: str = fact("Its path, as it is named.")
    purpose: str = fact(
        "What it is: key (also if it has certificates too), certificate, passwords, table, cache, DKIM key or"
        " configuration."
    )
    named_by: tuple[str, ...] = fact("The parameters or files that name it.", default=())
    exists: bool | None = fact("Whether it exists.", default=None)
    type: str | None = fact("file, directory or other. Of a link: what it leads to.", default=None)
    target: str | None = fact("Where it leads, if the path is a link.", default=None)
    owner: str | None = fact("Its owner, by name or else by number.", default=None)
    group: str | None = fact("Its group, by name or else by number.", default=None)
    mode: str | None = fact("Its mode in octal, such as 0640.", default=None)
    changed_at: Moment | None = fact("When its content last changed, in UTC (RFC 3339).", default=None)


@dataclasses.dataclass(frozen=True)
class ManagedFile:
    """A file that this collection has deployed, as a part of a transaction."""

    path: str = fact("Its path.")
    transaction: str = fact("The transaction, such as relay.")
    state: str | None = fact("unchanged, edited (since it was deployed), or missing.")
    deployed_mode: str = fact("The mode with which it was deployed, in octal.")
    mode: str | None = fact("Its mode now. Null if it is missing.")


@dataclasses.dataclass(frozen=True)
class DkimKey:
    """A private key for DKIM."""

    signer: str | None = fact("OpenDKIM, rspamd, dkimpy-milter or amavis. Null if none is told to use the key.")
    path: str = fact("The file with the private key.")
    domain: str | None = fact("The domain that it signs for. Null if any.", default=None)
    selector: str | None = fact("The selector.", default=None)
    key_type: str | None = fact("rsa or ed25519.", default=None)
    key_bits: int | None = fact("The length of the key.", default=None)
    public_key: str | None = fact("The public key as the tag p= of a DNS record has it.", default=None)
    spki_sha256: str | None = fact("SHA-256 of the public key (SubjectPublicKeyInfo).", default=None)


@dataclasses.dataclass(frozen=True)
class CertificateFile:
    """A file with certificates."""

    path: str = fact("Its path.")
    named_by: tuple[str, ...] = fact("The parameters that name it.")
    chain: tuple[CertificateFacts, ...] | None = fact("Its certificates, in the order of the file.", default=None)

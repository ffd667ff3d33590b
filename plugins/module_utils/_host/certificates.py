# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The certificates that Postfix presents, read from their files."""

from __future__ import annotations

import re
import typing as t

from .._evidence.host_config import Instance
from .._evidence.host_files import CertificateFile
from .._postfix.config import split_words
from .._x509.certificate import read_certificate, read_certificates
from .._x509.der import DerError
from .host import Host
from .instances import find as find_instances

if t.TYPE_CHECKING:
    from .._evidence.certificate import CertificateFacts

_NAMES = re.compile(r"(?:smtpd?|lmtp)_tls_(?:(?:ec|d)?cert_file|chain_files)\Z")


def find(host: Host) -> tuple[CertificateFile, ...] | None:
    """The files that parameters of TLS name, each once."""
    instances = find_instances(host)
    if instances is None:
        host.cannot("certificates", "The configuration of Postfix is not known.")
        return None
    named: dict[str, dict[str, None]] = {}
    for instance in instances:
        for name, path in _named(instance):
            named.setdefault(path, {})[name] = None
    return tuple(CertificateFile(path, tuple(names), _chain(host, path)) for path, names in named.items())


def _named(instance: Instance) -> t.Iterator[tuple[str, str]]:
    for parameters in (instance.parameters or {}, *(one.parameters for one in instance.services or ())):
        for name, value in parameters.items():
            if _NAMES.match(name) and value != "none":
                yield from ((name, path) for path in split_words(value))


def _chain(host: Host, path: str) -> tuple[CertificateFacts, ...] | None:
    place = f"certificates.{path}"
    text = host.text(place, path, required=True)
    if text is None:
        return None
    try:
        return tuple(map(read_certificate, read_certificates(text)))
    except DerError as error:
        host.cannot(place, f"{path} has a certificate that cannot be read: {error}.")
        return None

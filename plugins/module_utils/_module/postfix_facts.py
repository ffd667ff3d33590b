# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Facts about this host's Postfix, by postconf(1)."""

from __future__ import annotations

import base64
import hashlib
import os
import re
import tempfile
import typing as t

from .._postfix.config import parse_main, split_words
from .commands import Commands
from .secrets import passwords_in

#: The facts of a host without Postfix.
NOT_INSTALLED: dict[str, t.Any] = {"version": None, "parameters": {}, "map_types": []}

_ASKED = ["mail_version", "myhostname", "maillog_file", "minimal_backoff_time"]
#: Names of parameters that the user defines for a secret, and logins that main.cf has instead of a file:
#: ``static:user:password``, ``inline:{ {[smtp.example.com]:587 = user:password} }``.
_SECRET_NAME = re.compile(r"(password|passwd|passphrase|secret|token)\Z", re.IGNORECASE)
_LOGIN = re.compile(r"(?:static:\s*\{?|=)\s*[^\s:{},]+:([^\s{},]+)")

_CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----\s*(.+?)\s*-----END CERTIFICATE-----", re.DOTALL)


def look(commands: Commands) -> tuple[dict[str, t.Any], dict[str, str]]:
    """Return the facts and some parameters, even if Postfix cannot read main.cf."""
    code, own = commands.run(["postconf", "-n"])[:2]
    with tempfile.TemporaryDirectory() as directory:
        elsewhere = []
        if code:
            # Without a main.cf, postconf prints defaults only, and no map types.
            for name in ("main.cf", "master.cf"):
                open(os.path.join(directory, name), "w").close()
            elsewhere = ["-c", directory]
        asked = parse_main(commands.run(["postconf", *elsewhere, *_ASKED])[1])
        map_types = commands.run(["postconf", *elsewhere, "-m"])[1].split()
    parameters = {} if code else parse_main(own)
    return {"version": asked.get("mail_version"), "parameters": parameters, "map_types": map_types}, asked


def identity_of(parameters: t.Mapping[str, str], asked: t.Mapping[str, str]) -> dict[str, str | None]:
    """Return the name and the certificate that other hosts see."""
    files = parameters.get("smtpd_tls_chain_files") or parameters.get("smtpd_tls_cert_file") or ""
    first = next(iter(split_words(files)), "")
    return {"hostname": asked.get("myhostname"), "certificate": _fingerprint(first)}


def _fingerprint(path: str) -> str | None:
    """Return the SHA-256 fingerprint of the first certificate in a PEM file; None if none can be read."""
    try:
        with open(path, encoding="ascii", errors="replace") as stream:
            found = _CERTIFICATE.search(stream.read())
        return hashlib.sha256(base64.b64decode(found[1])).hexdigest() if found else None
    except (OSError, ValueError):
        return None


def secrets_in(parameters: t.Mapping[str, str]) -> t.Iterator[str]:
    """Yield what must not be shown of the parameters in main.cf."""
    for name, value in parameters.items():
        yield from passwords_in(value)
        if name.endswith("_password_maps"):
            yield from _LOGIN.findall(value)
        elif _SECRET_NAME.search(name):
            yield value

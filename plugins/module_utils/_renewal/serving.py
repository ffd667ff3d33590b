# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The services that read the certificate: reloaded, and asked until each listener shows it."""

from __future__ import annotations

import re
import shutil
import time
import typing as t

from . import tls
from .files import run
from .judging import Certificate
from .places import Settings, Trouble

#: Seconds for a listener to show the new certificate.
_SHOW = 30.0
_DOVECOT = "dovecot.service"
#: Certificates in the output of doveconf(1): ssl_cert, ssl_server_cert_file, or cert_file in a block.
_CERTIFICATE = re.compile(r"^\s*(?:\w+_)?cert(?:_file)?\s*=\s*<?\s*(\S+)", re.MULTILINE)
_LISTENER = re.compile(r"^\s*inet_listener [^{]*\{([^}]*)\}", re.MULTILINE)
_PORT, _IMPLICIT = re.compile(r"^\s*port = (\d+)", re.MULTILINE), re.compile(r"^\s*ssl = yes", re.MULTILINE)


class Listener(t.NamedTuple):
    """A port of this host.

    :ivar implicit: whether TLS begins at once.
    :ivar certain: whether the port is open; Dovecot's configuration has ports of protocols that are not enabled.
    """

    port: int
    implicit: bool
    certain: bool


class Reader(t.NamedTuple):
    """A running unit that reads the file, and the listeners that must show the certificate."""

    unit: str
    listeners: list[Listener]


def serve(settings: Settings, found: Certificate, reload: bool) -> None:
    """Reload what reads the file if that is due, and require that every listener shows the certificate."""
    readers = _readers(settings)
    if not reload:
        readers = [one for one in readers if _unlike(one, found, 0.0)]
    for reader in readers:
        done = run("systemctl", "reload", reader.unit)
        if done.returncode != 0:
            raise Trouble(
                f"{reader.unit} could not be reloaded: {done.stderr.strip()}. The new certificate {found.serial} is in"
                f" {settings['file']}; reload {reader.unit} once that is repaired."
            )
    for reader in readers:
        wrong = _unlike(reader, found, _SHOW)
        if wrong:
            raise Trouble(
                f"{' '.join(wrong)} Expected the certificate {found.serial} of {settings['file']}. Restart"
                f" {reader.unit}, and see 'journalctl --unit={reader.unit}'."
            )


def _readers(settings: Settings) -> list[Reader]:
    """Return the running units that read the file: Postfix, and a Dovecot whose configuration names it."""
    found = []
    if settings["file"] in _asked("postconf", "-h", "smtpd_tls_chain_files"):
        listeners = [Listener(one["port"], one["tls"] == "implicit", True) for one in settings["listeners"]]
        found.append(Reader(settings["unit"], listeners))
    configured = _CERTIFICATE.findall(_asked("doveconf", "-n"))
    if settings["file"] in configured:
        # With other certificates, it is not known which port shows which one.
        alone = set(configured) == {settings["file"]}
        found.append(Reader(_DOVECOT, _of_dovecot(_asked("doveconf", "-a")) if alone else []))
    return [one for one in found if run("systemctl", "is-active", "--quiet", one.unit).returncode == 0]


def _of_dovecot(text: str) -> list[Listener]:
    """Return the listeners with implicit TLS in the output of doveconf(1)."""
    blocks = [block for block in _LISTENER.findall(text) if _IMPLICIT.search(block)]
    ports = [int(port[1]) for port in map(_PORT.search, blocks) if port]
    return [Listener(port, True, False) for port in dict.fromkeys(ports) if port]


def _asked(*argv: str) -> str:
    return run(*argv).stdout if shutil.which(argv[0]) else ""


def _unlike(reader: Reader, found: Certificate, patience: float) -> list[str]:
    """Return a sentence for each listener that does not show the certificate, asked until it does."""
    ending = time.monotonic() + patience
    wrong = {}
    for port, implicit, certain in reader.listeners:
        while True:
            seen = tls.shown(port, implicit)
            if seen == found.sha256 or (not seen and not certain) or time.monotonic() >= ending:
                break
            time.sleep(0.2)
        if seen != found.sha256 and (seen or certain):
            what = "no certificate" if not seen else "another certificate"
            wrong[port] = f"Port {port} shows {what}."
    return list(wrong.values())

# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The current certificate is put in place, by rename, if it may be used."""

from __future__ import annotations

import contextlib
import os
import time
import typing as t
from pathlib import Path

from . import lineage
from .files import alone, put_in_place, read_pem, run, staged
from .judging import Certificate, candidate, judge, moment
from .places import Settings, Trouble
from .serving import serve

#: Seconds after a change in which a program that renews a certificate may replace further files.
_QUIET = 2.0


def install(settings: Settings, patience: float = 0.0) -> str:
    """Put the current certificate in place, and return what changed as a sentence; empty if nothing did.

    :param patience: seconds to wait for a key and a certificate that belong together: a renewal replaces two files.
    """
    file, source = Path(settings["file"]), settings["source"]
    with alone():
        if settings["acme"] and not os.path.exists(source["chain"]):
            return "" if file.exists() else _bootstrap(file, settings)
        found, changed = _replace(file, source, settings["names"], time.monotonic() + patience)
        serve(settings, found, reload=changed)
        if not settings["acme"]:
            lineage.forget()
    return f"{file} has the certificate {found.serial}, valid until {moment(found.ends)}." if changed else ""


def follow(settings: Settings, patience: float) -> str:
    """Install the certificate, and each that comes within moments; return what changed.

    A renewal may replace several files. The unit that notes changes misses those that follow at once.
    """
    changed = ""
    while True:
        changed = install(settings, patience) or changed
        if settings["acme"] or _stays(Path(settings["file"]), settings["source"]):
            return changed


def _stays(file: Path, source: t.Mapping[str, str]) -> bool:
    """Wait a while, and return whether the source still is what was installed."""
    ending = time.monotonic() + _QUIET
    while True:
        try:
            if not is_current(file, candidate(source)):
                return False
        except Trouble:  # a file is being replaced, or can be used no longer: install tells
            return False
        if time.monotonic() >= ending:
            return True
        time.sleep(0.2)


def is_current(file: Path, text: str) -> bool:
    """Whether the file that Postfix reads has this text."""
    with contextlib.suppress(OSError):
        return read_pem(str(file)) == text
    return False


def _replace(
    file: Path, source: t.Mapping[str, str], names: t.Sequence[str], ending: float
) -> tuple[Certificate, bool]:
    """Put the certificate of the source in place if it is another one, and return it and whether it was."""
    text, found = _judged(source, names, ending)
    if is_current(file, text):
        return found, False
    with staged(file, text) as stage:
        put_in_place(stage, file)
    return found, True


def _judged(source: t.Mapping[str, str], names: t.Sequence[str], ending: float) -> tuple[str, Certificate]:
    """Return the joined text and its certificate, once it may be used or the time has ended."""
    while True:
        try:
            text = candidate(source)
            return text, judge(text, source["chain"], names)
        except Trouble:
            if time.monotonic() >= ending:
                raise
            time.sleep(1)


def _bootstrap(file: Path, settings: Settings) -> str:
    """Make a self-signed certificate, so that the relay runs until the authority has issued the first one."""
    name = settings["names"][0]
    with staged(file, "") as stage:
        done = run(
            *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"),
            *("-nodes", "-days", "90", "-subj", f"/CN={name[:64]}", "-addext", f"subjectAltName=DNS:{name}"),
            *("-keyout", str(stage), "-out", str(stage)),
        )
        if done.returncode != 0:
            raise Trouble(
                f"openssl could not make a self-signed certificate for {file}: {done.stderr.strip()}; correct that, and"
                " run the role again."
            )
        put_in_place(stage, file)
    return f"{file} has a self-signed certificate until the authority has issued one."

# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files that this collection has deployed on the host, and whether they are still as they were deployed."""

from __future__ import annotations

import json
import os
import stat

from .._evidence.host_files import ManagedFile
from .._transaction.memory import MANIFEST
from .._transaction.model import OwnedFile, digest_of
from .._transaction.swap import RunRecord
from .host import Host

#: A folder for each transaction; those of other collections or users may be elsewhere.
_TRANSACTIONS = "/var/lib/mailops"
UNCHANGED, EDITED, MISSING = "unchanged", "edited", "missing"


def find(host: Host) -> tuple[ManagedFile, ...] | None:
    """The files of every transaction, by its manifest."""
    found: list[ManagedFile] = []
    for name in host.names("managed", _TRANSACTIONS):
        path = f"{_TRANSACTIONS}/{name}/{MANIFEST}"
        text = host.text("managed", path)
        if text is None:
            continue
        try:
            files = RunRecord.from_json(json.loads(text)).manifest.files
        except (ValueError, KeyError, TypeError, AttributeError):
            host.cannot("managed", f"{path} cannot be understood.")
            continue
        found += (_look(host, name, path, owned) for path, owned in sorted(files.items()))
    return None if any(one.path == "managed" for one in host.unknown) else tuple(found)


def _look(host: Host, transaction: str, path: str, owned: OwnedFile) -> ManagedFile:
    deployed = f"{stat.S_IMODE(owned.mode):04o}"
    place = f"managed.{path}"
    content = host.octets(place, path)
    if content is None:
        known = not any(one.path == place for one in host.unknown)
        return ManagedFile(path, transaction, MISSING if known else None, deployed, None)
    state = UNCHANGED if digest_of(content) == owned.digest else EDITED
    return ManagedFile(path, transaction, state, deployed, _mode(host, place, path))


def _mode(host: Host, place: str, path: str) -> str | None:
    try:
        return f"{stat.S_IMODE(os.stat(host.root + path).st_mode):04o}"
    except OSError as error:
        host.blame(place, path, error)
        return None

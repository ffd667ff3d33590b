# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The signer: the tables from which it learns the keys, and its reload."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time

from .choice import Active
from .keys import Key

#: Seconds that a reload may take until no worker has the old table.
RELOAD_TIME = 60
PROC = "/proc"


def tables(signer: str, active: Active) -> dict[str, str]:
    """Return the files from which the signer learns the keys."""
    if signer == "rspamd":
        rows = []
        for domain, keys in active.items():
            pairs = ", ".join(f'{{ path = "{_as_rspamd(key)}"; selector = "{key.selector}"; }}' for key in keys)
            rows.append(f'"{domain}" {{ selectors = [ {pairs} ]; }}\n')
        return {"signing.conf": "".join(rows)}
    named = [(domain, key) for domain, keys in active.items() for key in keys if key.kind == "rsa"]
    return {
        "key.table": "".join(f"{key.name} {domain}:{key.selector}:{key.path}\n" for domain, key in named),
        "signing.table": "".join(f"*@{domain} {key.name}\n" for domain, key in named),
    }


def _as_rspamd(key: Key) -> str:
    """The path that rspamd reads; it takes Ed25519 as a bare seed."""
    return re.sub(r"[.]key$", ".seed", key.path) if key.kind == "ed25519" else key.path


def reload(unit: str) -> bool:
    """Make the signer read its tables, and return whether it did: a client that connects afterwards has the new ones.

    In its first transaction the signer does not run yet, and is started afterwards.
    """
    main = _main(unit)
    before = _workers(main)
    subprocess.run(["systemctl", "try-reload-or-restart", "--", unit], check=True)
    if _main(unit) != main:
        return True
    # it returns once the signal is sent; rspamd then starts new workers, and tells the old ones to accept no more
    end = time.monotonic() + RELOAD_TIME
    while _has_signals(main) or any(map(_accepts, before)):
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


def _main(unit: str) -> str:
    argv = ["systemctl", "show", "--property=MainPID", "--value", "--", unit]
    return subprocess.run(argv, capture_output=True, check=True).stdout.decode("ascii").strip()


def _workers(main: str) -> list[str]:
    """The processes that the main process of a unit has started."""
    try:
        with open(f"{PROC}/{main}/task/{main}/children", encoding="ascii") as file:
            return file.read().split()
    except OSError:
        return []


def _accepts(worker: str) -> bool:
    """Whether a worker of rspamd takes connections: before it ends them, it blocks the signal that tells it to."""
    return _is_running(worker) and not _signals(worker, "SigBlk") >> (signal.SIGUSR2 - 1) & 1


def _has_signals(process: str) -> bool:
    """Whether a process has yet to take a signal."""
    return _is_running(process) and bool(_signals(process, "ShdPnd"))


def _is_running(process: str) -> bool:
    return os.path.exists(f"{PROC}/{process}/status")


def _signals(process: str, kind: str) -> int:
    """A set of signals of a process (proc_pid_status(5)); empty if it has ended."""
    try:
        with open(f"{PROC}/{process}/status", encoding="utf-8", errors="replace") as file:
            match = re.search(rf"^{kind}:\s*([0-9a-f]+)", file.read(), re.MULTILINE)
    except OSError:
        return 0
    return int(match[1], 16) if match else 0

# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What certbot has of the relay's certificate, and what goes with it. Certificates of others stay."""

from __future__ import annotations

import contextlib
import json
import re
import shutil
import typing as t
from pathlib import Path

from .files import read_list, write
from .judging import DAY, certificate_of
from .places import ARCHIVE, BEFORE, CERTBOT, LIVE, MADE, ORDERED, RENEWAL

#: Directories that certbot makes when it first runs; they are removed if they are empty.
_FOLDERS = (
    *("accounts", "archive", "csr", "keys", "live", "renewal"),
    *("renewal-hooks", "renewal-hooks/deploy", "renewal-hooks/post", "renewal-hooks/pre"),
)


def is_ours() -> bool:
    """Whether this program began an order on this host."""
    return any(path.exists() for path in (MADE, BEFORE, ORDERED))


def is_foreign() -> bool:
    """Whether certbot has a certificate of this name that this program did not order."""
    return RENEWAL.exists() and not is_ours()


def is_whole() -> bool:
    """Whether certbot can renew it: an order that was killed leaves files that are empty, or only some of them."""
    names = ("cert", "chain", "fullchain", "privkey")
    return RENEWAL.is_file() and RENEWAL.stat().st_size > 0 and all((LIVE / f"{one}.pem").is_file() for one in names)


@contextlib.contextmanager
def recorded() -> t.Iterator[None]:
    """Record what certbot makes meanwhile. If this is killed, what it made is known to the next run."""
    if not BEFORE.exists():
        write(BEFORE, json.dumps(sorted(_present())))
    try:
        yield
    finally:
        write(MADE, json.dumps(_made()))
        BEFORE.unlink()


def _made() -> list[str]:
    """Return what certbot has made for this program."""
    return sorted({*read_list(MADE), *(_present() - {*read_list(BEFORE)} if BEFORE.exists() else ())})


def _present() -> set[str]:
    """Return accounts, and keys and requests that an old certbot keeps apart."""
    patterns = ("accounts/*/*/*", "accounts/*/*/*/*", "keys/*", "csr/*")
    return {str(path) for pattern in patterns for path in CERTBOT.glob(pattern)}


def renew_by_life() -> None:
    """Make an old certbot renew a short-lived certificate by its life: it would renew it at each run of its timer."""
    path = LIVE / "cert.pem"
    found = certificate_of(path.read_text(encoding="ascii", errors="replace"), str(path))
    if found.life >= 89 * DAY:
        return
    text = re.sub(r"^#? *renew_before_expiry = .*\n", "", RENEWAL.read_text(encoding="utf-8"), flags=re.MULTILINE)
    share = 2 if found.life < 10 * DAY else 3
    write(RENEWAL, f"renew_before_expiry = {found.life / share / 3600:.0f} hours\n{text}", 0o644)


def remove() -> None:
    RENEWAL.unlink(missing_ok=True)
    for folder in (LIVE, ARCHIVE):
        shutil.rmtree(folder, ignore_errors=True)


def forget() -> None:
    """Remove what certbot has of the role's certificate, and its account unless another certificate uses it."""
    if not is_ours():
        return
    confs = [path for path in (CERTBOT / "renewal").glob("*.conf") if path != RENEWAL]
    others = "".join(path.read_text(encoding="utf-8", errors="replace") for path in confs)
    for path in [*map(Path, _made()), *_kept_apart()]:
        if path.parent.name in ("keys", "csr"):
            path.unlink(missing_ok=True)
        elif path.is_dir() and not path.is_symlink() and path.name not in others:
            shutil.rmtree(path)
    remove()
    if not confs:
        (LIVE.parent / "README").unlink(missing_ok=True)
    folders = [*CERTBOT.glob("accounts/**/"), *(CERTBOT / name for name in _FOLDERS)]
    for folder in sorted(folders, reverse=True):
        with contextlib.suppress(OSError):  # it is in use
            folder.rmdir()
    for path in (ORDERED, BEFORE, MADE):  # the last one says that this has not ended
        path.unlink(missing_ok=True)


def _kept_apart() -> t.Iterator[Path]:
    """Yield keys and requests of the lineage that an old certbot has kept apart at each renewal, by their number."""
    keys = {path.read_bytes() for path in ARCHIVE.glob("privkey*.pem")}
    for path in (CERTBOT / "keys").glob("*_key-certbot.pem"):
        if path.read_bytes() in keys:
            yield path
            yield CERTBOT / "csr" / path.name.replace("_key-", "_csr-")

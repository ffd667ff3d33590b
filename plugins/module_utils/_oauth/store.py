# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The state directory of a relay's OAuth2: the token that the refresher writes and the bridge reads, and its wishes.

Files are replaced by rename, so that a reader, or a program that was killed, finds the old one or the new one.
"""

from __future__ import annotations

import contextlib
import glob
import json
import os
import re
import time
import typing as t
from dataclasses import asdict, dataclass, field

#: Where a relay keeps its tokens.
STATE_DIRECTORY = "/var/lib/postfix-oauth"
#: Seconds of life that a token must have left to log in with it.
_LEFT = 10.0
#: A file of this room has some four thousand octets.
_MAX_SIZE = 262_144
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}\Z")


class NoToken(Exception):
    """No token can be used to log in; the text is the second half of a sentence."""


class BadName(ValueError):
    """The name cannot be that of an upstream; the text is a sentence."""


def check_name(name: str) -> str:
    """Return the name of an upstream, which becomes part of file names.

    :raises BadName: it cannot be.
    """
    if not _NAME.match(name):
        raise BadName(f"{name[:80]!r} is not the name of an upstream; expected letters, digits, '.', '_' and '-'")
    return name


@dataclass(frozen=True)
class StoredToken:
    """A token with its life, in seconds since the epoch."""

    access_token: str = field(repr=False)
    obtained_at: float
    expires_at: float

    def usable(self, now: float) -> bool:
        """Whether a login with it may succeed."""
        return now + _LEFT < self.expires_at


class State:
    """The files of one upstream.

    :param folder: the state directory.
    """

    def __init__(self, folder: str, name: str) -> None:
        self._base = os.path.join(folder, check_name(name))

    def token(self) -> StoredToken | None:
        """Return the token, or None if there is none, or what is there cannot be read."""
        facts = _read(f"{self._base}.token")
        token, *times = (facts.get(name) for name in ("access_token", "obtained_at", "expires_at"))
        if not isinstance(token, str) or not token or not all(isinstance(one, (int, float)) for one in times):
            return None
        return StoredToken(token, *map(float, times))  # type: ignore[arg-type]

    def usable_token(self) -> StoredToken:
        """Return the token to log in with.

        :raises NoToken: there is none, or it has expired.
        """
        token = self.token()
        if token is None:
            raise NoToken("no token has been fetched yet")
        now = time.time()
        if not token.usable(now):
            raise NoToken(f"the token expired {max(0.0, now - token.expires_at) / 60:.0f} min ago")
        return token

    def keep_token(self, token: StoredToken) -> None:
        """Replace the token."""
        _replace(f"{self._base}.token", asdict(token))

    def renewed(self, configured: str) -> str | None:
        """Return the refresh token that the server gave in place of the configured one, if there is one.

        That of another name is taken over: names change if the provider gets a second mailbox, and a server may accept
        the configured one only once.

        :param configured: the digest of the configured one.
        """
        own = f"{self._base}.refresh"
        for path in (own, *sorted(glob.glob(os.path.join(glob.escape(os.path.dirname(own)), "*.refresh")))):
            facts = _read(path)
            renewed = facts.get("refresh_token")
            if facts.get("in_place_of") == configured and isinstance(renewed, str) and renewed:
                if path != own:
                    self.keep_renewed(renewed, configured)
                return renewed
        return None

    def keep_renewed(self, refresh_token: str, configured: str) -> None:
        """Keep a refresh token of the server.

        :param configured: the digest of the configured one that it replaces; another one there takes precedence again.
        """
        _replace(f"{self._base}.refresh", {"refresh_token": refresh_token, "in_place_of": configured})

    # A wish for a new token

    def want_token(self) -> None:
        """Ask the refresher for a new token: systemd starts it when the file appears."""
        with contextlib.suppress(OSError):
            os.close(os.open(f"{self._base}.wanted", os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600))

    def take_wish(self) -> bool:
        """Remove the wish, and return whether there was one."""
        try:
            os.unlink(f"{self._base}.wanted")
        except OSError:
            return False
        return True


def _read(path: str) -> t.Mapping[str, t.Any]:
    """Return the JSON object of a file, or an empty one; a parser's error would quote the token."""
    try:
        with open(path, "rb") as stream:
            facts = json.loads(stream.read(_MAX_SIZE))
    except (OSError, ValueError, RecursionError):
        return {}
    return facts if isinstance(facts, dict) else {}


def _replace(path: str, facts: t.Mapping[str, t.Any]) -> None:
    """Write a file that only its owner can read, and put it in the place of the old one.

    :raises OSError: it was not replaced.
    """
    new = f"{path}.new"
    with contextlib.suppress(FileNotFoundError):
        os.unlink(new)  # of a refresher that was killed
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as stream:
        json.dump(facts, stream)
        stream.flush()
        os.fsync(descriptor)
    os.rename(new, path)
    folder = os.open(os.path.dirname(path), os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)

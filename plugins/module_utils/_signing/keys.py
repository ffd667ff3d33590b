# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The private keys on the host, and what the role has set."""

from __future__ import annotations

import base64
import contextlib
import functools
import json
import os
import stat
import subprocess
import typing as t

SETTINGS = "/etc/relay-dkim/settings.json"
#: Names of the types in a public key (RFC 8017 appendix C, RFC 8410 section 3).
_OBJECTS: t.Mapping[str, bytes] = {
    "rsa": bytes.fromhex("06092a864886f70d010101"),
    "ed25519": bytes.fromhex("06032b6570"),
}


class Trouble(Exception):
    """What is wrong and what to do, as sentences."""


class Key(t.NamedTuple):
    """A key: name of its record, selector in the signature, type, path."""

    name: str
    selector: str
    kind: str
    path: str


class Domain(t.NamedTuple):
    """A domain with the keys of each of its selectors, the oldest selector first."""

    name: str
    selectors: tuple[tuple[Key, ...], ...]

    @property
    def keys(self) -> list[Key]:
        """The keys of all selectors."""
        return [key for keys in self.selectors for key in keys]


class Settings(t.NamedTuple):
    """What the role wrote.

    :ivar signer: rspamd or opendkim.
    :ivar sign_now: whether the newest selector signs before the DNS has its records.
    :ivar nameservers: whom to ask, by address; without one, the name servers of the host.
    """

    signer: str
    state_directory: str
    domains: tuple[Domain, ...]
    sign_now: bool
    nameservers: tuple[str, ...]


def read_settings() -> Settings:
    """Read the settings. Raises :class:`Trouble`."""
    try:
        with open(SETTINGS, encoding="utf-8") as file:
            return _settings(json.load(file))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise Trouble(f"{SETTINGS} cannot be used: {error}. Run the role again.") from error


def _settings(found: dict[str, t.Any]) -> Settings:
    domains = (
        Domain(one["domain"], tuple(tuple(Key(**key) for key in keys) for keys in one["selectors"]))
        for one in found.pop("domains")
    )
    return Settings(domains=tuple(domains), nameservers=tuple(found.pop("nameservers")), **found)


def check_owner(path: str) -> None:
    """Check that no other user can put another key in the place of this one. Raises :class:`Trouble`."""
    place = path
    while place != os.path.dirname(place):
        with contextlib.suppress(FileNotFoundError):
            facts = os.stat(place)
            is_open = facts.st_mode & 0o022 and not facts.st_mode & stat.S_ISVTX
            if is_open or facts.st_uid not in (0, os.geteuid()):
                raise Trouble(
                    f"{place} can be changed by others than root; expected that only root can. Run 'chown root' and"
                    " 'chmod go-w' on it, make sure that the keys below it are still a secret, and run the role again."
                )
        place = os.path.dirname(place)


@functools.cache
def public_half(path: str, kind: str) -> str:
    """Return the public key as a record has it; of Ed25519 the bare key (RFC 8463 section 4).

    Raises :class:`Trouble` if the file is not a private key of this type.
    """
    argv = ["openssl", "pkey", "-in", path, "-passin", "pass:", "-pubout", "-outform", "DER"]
    der = subprocess.run(argv, check=False, capture_output=True, stdin=subprocess.DEVNULL).stdout
    if _OBJECTS[kind] not in der[:32]:
        raise Trouble(
            f"{path} is not a private key of type {kind} that openssl can read; expected the one that the role made."
            " Restore it; or remove it, and run the role again, which makes another one that needs a new record."
        )
    return base64.b64encode(der[-32:] if kind == "ed25519" else der).decode("ascii")

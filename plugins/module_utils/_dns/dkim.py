# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""DKIM keys in the DNS (RFC 6376 section 3.6, RFC 8463), and the facts of the selectors that were given."""

from __future__ import annotations

import dataclasses
import typing as t

from .._evidence.dns_policy import DkimFacts
from .._x509.der import decode_base64, pem_blocks
from .._x509.keys import PublicKey, parse_dkim_key, parse_ed25519
from .dns_errors import RecordSyntaxError
from .inquiry import Inquiry, all_shown
from .mail_system import Selector
from .tags import parse_tags


@dataclasses.dataclass(frozen=True)
class DkimRecord:
    """A valid key record."""

    #: None if the record revokes the key.
    key: PublicKey | None
    kind: str
    hashes: tuple[str, ...]
    services: tuple[str, ...]
    flags: tuple[str, ...]

    @property
    def signs_mail(self) -> bool:
        """Whether s= lets the key sign mail."""
        return not self.services or bool({"*", "email"} & set(self.services))

    @property
    def allows_sha256(self) -> bool:
        """Whether h= has the one hash that receivers accept (RFC 8301 section 3.1)."""
        return not self.hashes or "sha256" in self.hashes


def key_name(selector: Selector) -> str:
    """The name that has the key record of ``selector``."""
    return f"{selector.name}._domainkey.{selector.domain}"


def parse_dkim(text: str) -> DkimRecord:
    """Parse a key record (RFC 6376 section 3.6.1). Raises :class:`RecordSyntaxError`."""
    tags = parse_tags(text)
    if "v" in tags and (next(iter(tags)) != "v" or tags["v"] != "DKIM1"):
        raise RecordSyntaxError("v= must be the first tag and DKIM1")
    if "p" not in tags:
        raise RecordSyntaxError("it has no p=, the public key")
    kind = tags.get("k", "rsa").lower()
    if kind not in _READERS:
        raise RecordSyntaxError(f"k={tags['k']} is not a key type that receivers know; expected rsa or ed25519")
    try:
        key = _READERS[kind](decode_base64(tags["p"])) if tags["p"] else None
    except ValueError as error:
        raise RecordSyntaxError(f"p= is not a valid {_KINDS[kind]} key: {error}") from error
    if key and key.type != kind:
        raise RecordSyntaxError(f"p= has an {_KINDS[key.type]} key, but k= says {kind}")
    return DkimRecord(key, kind, _listed(tags, "h"), _listed(tags, "s"), _listed(tags, "t"))


_READERS: dict[str, t.Callable[[bytes], PublicKey]] = {"rsa": parse_dkim_key, "ed25519": parse_ed25519}
_KINDS = {"rsa": "RSA", "ed25519": "Ed25519"}


def _listed(tags: t.Mapping[str, str], name: str) -> tuple[str, ...]:
    """The values of a tag, which colons separate."""
    return tuple(dict.fromkeys(one.strip().lower() for one in tags.get(name, "").split(":") if one.strip()))


def parse_given_key(text: str) -> PublicKey:
    """Read a public key in PEM, as the value of p=, or as a whole key record. Raises ``ValueError``.

    The error never quotes the text, which may be a private key by mistake.
    """
    if "PRIVATE KEY" in text:
        raise ValueError("it is a private key; give the public key alone")
    blocks = pem_blocks(text)
    if blocks:
        return parse_dkim_key(blocks[0][1])
    if "p=" in text.replace(" ", ""):
        return _key_of_record(text)
    octets = decode_base64(text)
    return parse_ed25519(octets) if len(octets) < _SHORTEST_RSA else parse_dkim_key(octets)


#: In octets, of a key of 512 bits. An Ed25519 key has 32, or 44 with its type.
_SHORTEST_RSA = 40


def _key_of_record(text: str) -> PublicKey:
    try:
        key = parse_dkim(text.replace('"', "")).key
    except RecordSyntaxError as error:
        raise ValueError("it is not a valid DKIM record") from error
    if key is None:
        raise ValueError("its p= is empty")
    return key


def dkim_facts(inquiry: Inquiry) -> tuple[DkimFacts, ...]:
    """The keys of the selectors of the mail system."""
    selectors = inquiry.system.selectors
    inquiry.prefetch((key_name(selector), "TXT") for selector in selectors)
    return tuple(_facts_of(inquiry, selector) for selector in selectors)


def _facts_of(inquiry: Inquiry, selector: Selector) -> DkimFacts:
    texts = inquiry.values(f"dkim.{selector.name}", key_name(selector), "TXT")
    facts = DkimFacts(selector.name, selector.domain, all_shown(texts))
    if not texts:
        return facts
    if len(texts) > 1:
        return dataclasses.replace(facts, error=f"there are {len(texts)} TXT records, of which receivers use any one")
    try:
        record = parse_dkim(texts[0])
    except RecordSyntaxError as error:
        return dataclasses.replace(facts, error=str(error))
    return dataclasses.replace(
        facts,
        revoked=record.key is None,
        testing="y" in record.flags,
        key_type=record.kind,
        key_bits=record.key.bits if record.key else None,
        spki_sha256=record.key.spki_sha256 if record.key else None,
        hashes=record.hashes,
        email=record.signs_mail,
        matches=None if selector.key is None else record.key == selector.key,
    )

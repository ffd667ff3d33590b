# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""DMARC records and the tree walk that finds them (RFC 9989 sections 4.7 and 4.10)."""

from __future__ import annotations

import dataclasses
import re
import typing as t
import urllib.parse

from .dns_errors import few, shorten
from .tags import read_tags, scheme_of

#: The name that has the record, below the domain.
PREFIX = "_dmarc."
POLICIES = ("none", "quarantine", "reject")
#: Tags of RFC 7489 that RFC 9989 removed.
REMOVED = ("pct", "rf", "ri")
_VALUES = {
    "p": POLICIES,
    "sp": POLICIES,
    "np": POLICIES,
    "psd": ("y", "n", "u"),
    "t": ("y", "n"),
    "adkim": ("r", "s"),
    "aspf": ("r", "s"),
}
_KNOWN = (*_VALUES, "v", "rua", "ruf", "fo")
_URIS = ("rua", "ruf")
_VERSION = re.compile(r"[ \t]*[vV][ \t]*=[ \t]*DMARC1[ \t]*(?:;|\Z)")
#: A longer name is cut to that many labels after the first question.
_LABELS = 7
#: More addresses for reports are not looked at.
_MAX_URIS = 10


@dataclasses.dataclass(frozen=True)
class DmarcRecord:
    """A DMARC record. A value that receivers cannot use is left out and told in ``errors``."""

    text: str
    #: The valid tags.
    tags: t.Mapping[str, str]
    errors: tuple[str, ...]
    #: Whether a policy tag has a value that is not valid, so that no policy applies.
    broken: bool

    @property
    def applies(self) -> bool:
        """Whether receivers apply the record at all (section 4.10.1)."""
        return not self.broken or bool(self.uris("rua"))

    @property
    def policy(self) -> str:
        """What applies to the domain of the record."""
        return "none" if self.broken else self.tags.get("p", "none")

    @property
    def subdomain_policy(self) -> str:
        """What applies to subdomains that exist."""
        return "none" if self.broken else self.tags.get("sp", self.policy)

    @property
    def absent_policy(self) -> str:
        """What applies to subdomains that do not exist."""
        return "none" if self.broken else self.tags.get("np", self.subdomain_policy)

    @property
    def public_suffix(self) -> str:
        """The tag psd."""
        return self.tags.get("psd", "u")

    def uris(self, tag: str) -> tuple[str, ...]:
        """The valid URIs of ``rua`` or ``ruf``. What follows an exclamation mark is a size, which is ignored now."""
        uris = (uri.strip().partition("!")[0] for uri in self.tags.get(tag, "").split(","))
        return tuple(uri for uri in uris if scheme_of(uri))[:_MAX_URIS]


def is_dmarc(text: str) -> bool:
    """Whether a TXT record is a DMARC record: ``v=DMARC1`` comes first, in this case."""
    return bool(_VERSION.match(text))


def parse_dmarc(text: str) -> DmarcRecord:
    """Parse a record for which :func:`is_dmarc` holds. Errors in it are ignored as receivers do, and told."""
    tags, faults = read_tags(text)
    errors, broken = list(faults), False
    for name, expected in _VALUES.items():
        if name in tags and tags[name].lower() not in expected:
            broken = broken or expected is POLICIES
            errors.append(f"{name}={shorten(tags.pop(name))} is not one of {', '.join(expected)}")
        elif name in tags:
            tags[name] = tags[name].lower()
    errors += [error for name in _URIS for error in _uri_errors(name, tags.get(name))]
    return DmarcRecord(text, tags, few(errors), broken)


def _uri_errors(name: str, value: str | None) -> t.Iterator[str]:
    for uri in [] if value is None else value.split(","):
        scheme = scheme_of(uri)
        if not scheme:
            yield f"{name}= has {uri.strip()[:80]!r}, which is not a URI such as mailto:dmarc@example.com"
        elif scheme == "mailto" and not mail_domain(uri):
            yield f"{name}= has {uri.strip()[:80]!r}, which has no mail address"


def mail_domain(uri: str) -> str:
    """The domain of a ``mailto:`` URI; empty for another URI."""
    scheme, _colon, rest = uri.strip().partition(":")
    if scheme.lower() != "mailto":
        return ""
    address = urllib.parse.unquote(rest.partition("!")[0].partition("?")[0])
    local, at, domain = address.rpartition("@")
    return domain.strip().rstrip(".").lower() if at and local else ""


def unknown_tags(record: DmarcRecord) -> tuple[str, ...]:
    """The tags that RFC 9989 neither has nor removed."""
    return tuple(name for name in record.tags if name not in (*_KNOWN, *REMOVED))


def walk_names(domain: str) -> list[str]:
    """The domains whose records the tree walk from ``domain`` asks for, at most eight (section 4.10)."""
    labels = domain.split(".")
    first = 1 if len(labels) <= _LABELS else len(labels) - _LABELS
    return [domain, *(".".join(labels[start:]) for start in range(first, len(labels)))]


#: A domain of the walk and its record; None if it has no record, or several, which are all ignored.
Step = tuple[str, t.Optional[DmarcRecord]]


def walked(steps: t.Iterable[Step]) -> list[tuple[str, DmarcRecord]]:
    """The domains with a record, from the longest name, up to the one that ends the walk (psd=y or psd=n)."""
    found = []
    for domain, record in steps:
        if record:
            found.append((domain, record))
            if record.public_suffix in ("y", "n"):
                break
    return found


def organization(domain: str, found: t.Sequence[tuple[str, DmarcRecord]]) -> str:
    """The organizational domain of ``domain``, of which ``found`` is the walk (section 4.10.2)."""
    for place, record in found:
        if record.public_suffix == "n":
            return place
        if record.public_suffix == "y" and place != domain:
            below = domain[: -len(place) - 1]
            return f"{below.rpartition('.')[2]}.{place}"
    return found[-1][0] if found else domain


def policy_source(
    domain: str, organizational: str, found: t.Sequence[tuple[str, DmarcRecord]]
) -> tuple[str, DmarcRecord] | None:
    """The record that applies: the domain's own, its organization's, or that of the public suffix (section 4.10.1)."""
    records = dict(found)
    suffix = next((place for place, record in found if record.public_suffix == "y"), "")
    place = next((place for place in (domain, organizational, suffix) if place in records), "")
    return (place, records[place]) if place else None

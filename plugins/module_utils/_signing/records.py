# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the TXT records of a name are, compared with a key."""

from __future__ import annotations

import re
import typing as t

#: What a record can be.
PUBLISHED, MISSING, UNKNOWN = "published", "missing", "unknown"
FOREIGN, REVOKED, SEVERAL, UNUSABLE = "foreign", "revoked", "several", "unusable"


def compare(texts: t.Sequence[str] | None, kind: str, public: str) -> str:
    """Say what the TXT records of a name are.

    :param texts: the records; ``None`` if the DNS did not answer.
    :param kind: type of the key, as in the tag k (RFC 6376 section 3.6.1).
    :param public: public key in Base64, as in the tag p.
    """
    if texts is None:
        return UNKNOWN
    found = [text for text in texts if _is_key(text)]
    if not found:
        return MISSING
    if len(texts) > 1:  # the result is undefined (RFC 6376 section 3.6.2.2)
        return SEVERAL
    tags = _read_tags(found[0])
    key = re.sub(r"\s", "", tags.get("p", "-"))
    if key not in (public, "-"):
        return FOREIGN if key else REVOKED
    return PUBLISHED if key == public and _is_usable(found[0], kind) else UNUSABLE


def _is_key(text: str) -> bool:
    """Whether a record is one of DKIM, right or not; a wildcard may answer with others."""
    tags = _read_tags(text)
    return tags.get("v", "DKIM1").upper().startswith("DKIM1") and bool({"v", "p"} & set(tags))


def _is_usable(text: str, kind: str) -> bool:
    """Whether receivers accept signatures of the key (RFC 6376 sections 3.2 and 3.6.1, RFC 8301 section 3.1)."""
    parts, tags = [part for part in text.split(";") if part.strip()], _read_tags(text)
    listed = {name: [one.strip() for one in tags[name].split(":")] for name in ("h", "s") if name in tags}
    return (
        len(parts) == len(tags)
        and ("v" not in tags or (next(iter(tags)) == "v" and tags["v"] == "DKIM1"))
        and tags.get("k", "rsa").lower() == kind
        and "sha256" in listed.get("h", ["sha256"])
        and bool({"*", "email"} & set(listed.get("s", ["*"])))
    )


def _read_tags(text: str) -> dict[str, str]:
    """The tags of a record (RFC 6376 section 3.2)."""
    pairs = (part.partition("=") for part in text.split(";") if "=" in part)
    return {name.strip().lower(): value.strip() for name, _equals, value in pairs}

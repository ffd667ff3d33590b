# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The records of DKIM keys, from what the host tells of each: the text to publish, and a line for a zone file."""

from __future__ import annotations

import typing as t

from .._dns.dkim import parse_given_key
from .._dns.zone import ZoneRecord, dkim_text, txt

_TOLD = ("name", "domain", "selector", "state", "keep_until", "told")


def make_records(keys: t.Iterable[t.Mapping[str, str]]) -> list[dict[str, t.Any]]:
    """Return ``relay_dkim_records``.

    :param keys: what ``relay-dkim records`` prints on the host (``_signing/program.py``).
    """
    return [_record(key) for key in keys]


def _record(key: t.Mapping[str, str]) -> dict[str, t.Any]:
    text = dkim_text(parse_given_key(key["public_key"]))
    (line,) = ZoneRecord(key["name"], "TXT", (txt(text),), None, None).lines
    return {
        **{name: key[name] for name in _TOLD},
        "text": text,
        "line": line,
        # one entry of the option dkim of mail_dns_info
        "key": {name: key[name] for name in ("selector", "domain", "public_key")},
    }

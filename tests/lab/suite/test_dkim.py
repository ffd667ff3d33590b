# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Signing with DKIM, proved at the destination by dkimpy, which is neither of the two signers.

The tests change the shared relay, so they run after all others, and in the order of this file.
"""

from __future__ import annotations

import re
import typing as t
import uuid

import pytest

pytestmark = [pytest.mark.third_lab, pytest.mark.last]

Probe = t.Callable[..., t.Any]
Publish = t.Callable[..., None]
FindSigned = t.Callable[..., list[list[dict[str, t.Any]]]]

#: Makes two keys with dkimpy's own tools, and signs the message of the standard input with both, RSA outermost.
SIGN = """
set -eu
cd "$(mktemp -d)"
dknewkey --ktype rsa rsa >/dev/null && dknewkey --ktype ed25519 ed >/dev/null
{ cat rsa.dns; echo; cat ed.dns; } >&2
dkimsign --signalg ed25519-sha256 ed sender.test ed.key | dkimsign rsa sender.test rsa.key
"""


def verdicts(signatures: t.Iterable[t.Mapping[str, t.Any]]) -> list[tuple[str, str, str, bool]]:
    """Return domain, selector and algorithm of each signature, and whether it is valid; in order."""
    return sorted((one["d"], one["s"], one["a"], not one["reason"]) for one in signatures)


def test_verifier_tells_valid_signatures_from_others(hosts: dict[str, t.Any], publish: Publish, probe: Probe) -> None:
    letter = f"From: x@sender.test\nTo: inbox@dest.test\nSubject: {uuid.uuid4().hex}\nDate: now\n\nhello\n"
    made = hosts["mx"].run(f"printf %s '{letter}' | ({SIGN})")
    assert made.rc == 0, made.stderr
    records = dict(zip(("rsa", "ed"), re.findall("v=DKIM1.*", made.stderr), strict=True))

    def judged(message: str) -> dict[str, str]:
        return {one["s"]: one["reason"] for one in probe("mx", "verify", message=message)}

    assert set(judged(made.stdout)) == {"rsa", "ed"}
    assert all(judged(made.stdout).values()), "signatures are valid without a key in the DNS"
    for selector, record in records.items():
        publish(f"{selector}._domainkey.sender.test", record)
    assert judged(made.stdout) == {"rsa": "", "ed": ""}
    for changed in (made.stdout.replace("hello", "hullo"), made.stdout.replace("x@sender", "y@sender")):
        assert all(judged(changed).values()), "a changed message has a valid signature"
    publish("rsa._domainkey.sender.test", records["ed"])
    assert [selector for selector, reason in judged(made.stdout).items() if not reason] == ["ed"]
    publish("ed._domainkey.sender.test")
    assert all(judged(made.stdout).values())
    assert judged(letter) == {}

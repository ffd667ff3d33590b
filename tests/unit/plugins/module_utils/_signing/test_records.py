# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a record is, compared with a key."""

from __future__ import annotations

import pytest

from ansible_collections.mailops.smtp.plugins.module_utils._signing.records import compare

RECORDS: list[tuple[list[str] | None, str]] = [
    (["v=DKIM1; k=rsa; p=AAAA"], "published"),
    (["v=DKIM1;p=AA AA"], "published"),
    (["  v = DKIM1 ; k = RSA ;\tp = AA\tAA ; "], "published"),
    (["p=AAAA"], "published"),
    (["k=rsa; p=AAAA; n=note"], "published"),
    (["v=DKIM1; p=AAAA; h=sha1:sha256; s=*; t=y:s"], "published"),
    (["v=DKIM1; p=AAAA; s=email : other"], "published"),
    ([], "missing"),
    (["v=spf1 -all"], "missing"),
    (["v=DMARC1; p=none"], "missing"),
    (["v=spf1 -all", "hello"], "missing"),
    (["v=DKIM1; p=BBBB"], "foreign"),
    (["v=DKIM1; p=aaaa"], "foreign"),
    (["v=DKIM1; k=ed25519; p=BBBB; h=sha1"], "foreign"),
    (["v=DKIM1; p="], "revoked"),
    (["p= ; v=DKIM1"], "revoked"),
    (["v=DKIM1; p=AAAA", "v=DKIM1; p=BBBB"], "several"),
    (["v=DKIM1; p=AAAA", "v=spf1 -all"], "several"),
    (["v=DKIM1; k=ed25519; p=AAAA"], "unusable"),
    (["k=rsa; p=AAAA; v=DKIM1"], "unusable"),
    (["v=dkim1; p=AAAA"], "unusable"),
    (["v=DKIM1 k=rsa p=AAAA"], "unusable"),
    (["v=DKIM1; k=rsa"], "unusable"),
    (["v=DKIM1; p=AAAA; h=sha1"], "unusable"),
    (["v=DKIM1; p=AAAA; s=tlsrpt"], "unusable"),
    (["v=DKIM1; p=AAAA; p=AAAA"], "unusable"),
    (["v=DKIM1; rubbish; p=AAAA"], "unusable"),
    (None, "unknown"),
]


@pytest.mark.parametrize(("texts", "expected"), RECORDS)
def test_a_record_is_compared_with_the_key(texts: list[str] | None, expected: str) -> None:
    assert compare(texts, "rsa", "AAAA") == expected

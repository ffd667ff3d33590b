# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Log lines of Postfix 3.10, as the journal of a relay gives them."""

from __future__ import annotations

from ansible_collections.mailops.smtp.plugins.module_utils._postfix.log import trace

SENT = (
    "4dDwwB5hD2z4w: to=<a@b.test>, relay=smtp.p.test[203.0.113.20]:587, delay=0.2, delays=0.1/0/0/0.1, dsn=2.0.0, "
    "status=sent (250 2.0.0 Ok: queued as 4dDwwC0KT5z4x)"
)
DEFERRED = (
    "4dDwwB5hD2z4w: to=<c@d.test>, orig_to=<c>, relay=none, delay=30, delays=0/0/30/0, dsn=4.4.1, "
    "status=deferred (connect to smtp.p.test[203.0.113.20]:587: Connection refused)"
)
REMOVED = "4dDwwB5hD2z4w: removed"
OTHERS = ["4dDwwB5hD2z4w: from=<x@y.test>, size=400, nrcpt=1 (queue active)", SENT.replace("4dDwwB5", "4dDwwB6"), ""]


def test_sent() -> None:
    found = trace([*OTHERS, f"Nov 21 23:00:00 relay postfix/smtp[12]: {SENT}", REMOVED], "4dDwwB5hD2z4w")
    assert found.sent
    assert found.deliveries[0].to_dict() == {
        "recipient": "a@b.test",
        "status": "sent",
        "relay": "smtp.p.test[203.0.113.20]:587",
        "dsn": "2.0.0",
        "text": "250 2.0.0 Ok: queued as 4dDwwC0KT5z4x",
    }


def test_not_sent_until_all_are() -> None:
    assert not trace([SENT], "4dDwwB5hD2z4w").sent
    found = trace([SENT, DEFERRED], "4dDwwB5hD2z4w")
    assert not found.sent
    assert found.latest["c@d.test"].status == "deferred"
    assert not trace([SENT, DEFERRED.replace("deferred", "bounced"), REMOVED], "4dDwwB5hD2z4w").sent


def test_the_last_attempt_counts() -> None:
    later = DEFERRED.replace("dsn=4.4.1, status=deferred", "dsn=2.0.0, status=sent")
    assert trace([DEFERRED, later, REMOVED], "4dDwwB5hD2z4w").sent


def test_the_next_hop_cannot_speak_for_postfix() -> None:
    bounced = SENT.replace("status=sent (250 2.0.0 Ok", "status=bounced (550 no, dsn=2.0.0, status=sent (250 fine)")
    assert not trace([bounced, REMOVED], "4dDwwB5hD2z4w").sent


def test_nothing_known() -> None:
    found = trace(OTHERS, "4dDwwB5hD2z4w")
    assert not found.deliveries
    assert not found.sent

# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The headers of a message that has arrived, as servers write them, and malformed ones."""

from __future__ import annotations

import time
import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.mailops.smtp.plugins.module_utils._evidence.arrived import MOST, arrival_of
from ansible_collections.mailops.smtp.plugins.module_utils._evidence.document import Evidence, Kind, Vantage, plain
from ansible_collections.mailops.smtp.plugins.module_utils._evidence.proof import MessageProof, ProofFacts
from ansible_collections.mailops.smtp.plugins.module_utils._evidence.reading import read
from ansible_collections.mailops.smtp.tests.unit.support.evidence import forbidden_in

#: A Received field -> what it tells, as far as a row names it.
RECEIVED: dict[str, tuple[str, dict[str, str | None]]] = {
    "Postfix with a login": (
        (
            "from client (unknown [198.51.100.7]) (using TLSv1.3 with cipher X (256/256 bits)) (Authenticated: app)\n"
            "\tby relay.example (Postfix) with ESMTPSA id 4QA for <me@dest.test>; Sun,  1 Mar 2026 12:00:01 +0100 (CET)"
        ),
        {
            "by": "relay.example",
            "protocol": "ESMTPSA",
            "from_name": "client",
            "from_address": "198.51.100.7",
            "tls": "TLSv1.3",
            "queue_id": "4QA",
            "received_at": "2026-03-01T11:00:01Z",
        },
    ),
    "Postfix from a program": (
        "by relay.example (Postfix, from userid 0) id 4QB; Sun, 1 Mar 2026 12:00:01 +0000 (UTC)",
        {"by": "relay.example", "protocol": None, "from_name": None, "from_address": None, "queue_id": "4QB"},
    ),
    "Exim": (
        (
            "from [192.0.2.9] (helo=client.example) by mx.example with esmtps (TLS1.3) tls TLS_AES_256_GCM_SHA384"
            " (Exim 4.97) (envelope-from <a@b>) id 1rXYZ-0001; Sun, 01 Mar 2026 12:00:01 +0000"
        ),
        {"protocol": "ESMTPS", "from_address": "192.0.2.9", "tls": "TLSv1.3", "queue_id": "1rXYZ-0001"},
    ),
    "Google": (
        (
            "from relay.example (relay.example. [2001:db8::9]) by mx.google.com with ESMTPS id x1-2.3"
            " for <me@gmail.com> (version=TLS1_3 cipher=TLS_AES_256_GCM_SHA384 bits=256/256);"
            " Sun, 01 Mar 2026 04:00:01 -0800 (PST)"
        ),
        {"by": "mx.google.com", "from_address": "2001:db8::9", "tls": "TLSv1.3", "received_at": "2026-03-01T12:00:01Z"},
    ),
    "Microsoft": (
        (
            "from relay.example (192.0.2.9) by x.mail.protection.outlook.com (10.1.2.3) with Microsoft SMTP Server"
            " (version=TLS1_2, cipher=TLS_ECDHE) id 15.20.1 via Frontend Transport; Sun, 1 Mar 2026 12:00:01 +0000"
        ),
        {"from_address": "192.0.2.9", "tls": "TLSv1.2", "by": "x.mail.protection.outlook.com"},
    ),
    "address literal of IPv6": (
        "from [IPv6:2001:DB8::9] by mx.example with UTF8SMTPSA id 1; Sun, 1 Mar 2026 12:00:01 +0000",
        {"from_address": "2001:db8::9", "protocol": "UTF8SMTPSA", "tls": None},
    ),
    "qmail": (
        "(qmail 123 invoked by uid 0); 1 Mar 2026 12:00:01 -0000",
        {"by": None, "protocol": None, "received_at": "2026-03-01T12:00:01Z"},
    ),
    "no date": ("from a by b with SMTP", {"by": "b", "protocol": "SMTP", "received_at": None}),
    "nonsense date": ("from a by b; yesterday, 99 Foo 10000 25:61:61", {"by": "b", "received_at": None}),
    "comments in comments": (
        "from a (by evil with X (by worse)) by b (c \\) d) with LMTP",
        {"by": "b", "protocol": "LMTP"},
    ),
    "unbalanced": ("from a (by b with SMTP; Sun, 1 Mar 2026 12:00:01 +0000", {"from_name": "a", "by": None}),
    "empty": ("", {"by": None}),
}


@pytest.mark.parametrize("case", RECEIVED)
def test_received(case):
    value, expected = RECEIVED[case]
    (one,) = arrival_of(f"Received: {value}\nFrom: a@b.test\n\nReceived: body\n").received
    assert {name: getattr(one, name) for name in expected} == expected


Verdicts = list[tuple[str, str, str, dict[str, str]]]
#: Headers -> server, method, result and properties of each result.
VERDICTS: dict[str, tuple[str, Verdicts]] = {
    "all three": (
        (
            "Authentication-Results: mx.dest.test;\n dkim=pass (2048-bit key; unprotected) header.d=a.test header.s=s1"
            ' header.b="abc";\n spf=pass (a (x; y) ok) smtp.mailfrom=x@a.test; dmarc=fail (p=none) header.from=a.test'
        ),
        [
            ("mx.dest.test", "dkim", "pass", {"header.d": "a.test", "header.s": "s1"}),
            ("mx.dest.test", "spf", "pass", {"smtp.mailfrom": "x@a.test"}),
            ("mx.dest.test", "dmarc", "fail", {"header.from": "a.test"}),
        ],
    ),
    "version, and a reason with a semicolon": (
        'Authentication-Results: MX.dest.test 1; dkim/1 = FAIL reason="bad; worse" header.i=@a.test',
        [("mx.dest.test", "dkim", "fail", {"header.i": "@a.test"})],
    ),
    "no result": ("Authentication-Results: mx.dest.test; none", []),
    "Microsoft leaves its name out": (
        "Authentication-Results: spf=pass (sender IP is 1.2.3.4) smtp.mailfrom=a.test; dmarc=pass action=none",
        [("", "spf", "pass", {"smtp.mailfrom": "a.test"}), ("", "dmarc", "pass", {})],
    ),
    "Received-SPF": (
        (
            "Received-SPF: Pass (mailfrom) identity=mailfrom; client-ip=1.2.3.4; helo=r.test; envelope-from=x@a.test;"
            " receiver=mx.dest.test"
        ),
        [("mx.dest.test", "spf", "pass", {"smtp.helo": "r.test", "smtp.mailfrom": "x@a.test"})],
    ),
    "Received-SPF without its name": (
        "Received-SPF: Softfail client-ip=1.2.3.4; receiver=<UNKNOWN>",
        [("", "spf", "softfail", {})],
    ),
    "ARC is not the receiver's word": ("ARC-Authentication-Results: i=1; mx.dest.test; spf=pass", []),
    "empty": ("Authentication-Results:", []),
    "only commas": ("Authentication-Results: ;;;;", []),
}


@pytest.mark.parametrize("case", VERDICTS)
def test_verdicts(case):
    headers, expected = VERDICTS[case]
    found = arrival_of(f"{headers}\nFrom: a@b.test\n").verdicts
    assert [(one.authserv_id, one.method, one.result, one.properties) for one in found] == expected


def test_verdict_knows_the_hops_above_it():
    result, hop = "Authentication-Results: m{}; spf=pass\n", "Received: from a by b\n"
    found = arrival_of(f"{result.format(0)}{hop}{result.format(1)}{hop}{hop}{result.format(3)}").verdicts
    assert [(one.authserv_id, one.received_above) for one in found] == [("m0", 0), ("m1", 1), ("m3", 3)]


def test_signatures():
    text = (
        "DKIM-Signature: v=1; a=rsa-sha256; d=A.test;\n s=s1; l=10; x=1772366400;\n"
        " h=From : To:\n Subject:from; bh=x; b=y\nDKIM-Signature: nonsense; x=99999999999999\n"
    )
    first, second = arrival_of(text).signatures
    assert (first.domain, first.selector, first.algorithm) == ("a.test", "s1", "rsa-sha256")
    assert (first.signed, first.body_is_cut) == (("from", "to", "subject", "from"), True)
    assert first.expires_at == "2026-03-01T12:00:00Z"
    assert (second.domain, second.signed, second.expires_at) == (None, (), None)


#: The fields -> domains of the authors, number of From fields, and domain of the sender.
ADDRESSES: dict[str, tuple[str, tuple[tuple[str, ...], int, str | None]]] = {
    "usual": ('Return-Path: <x@Env.test>\nFrom: "A, <b@c>" <a@A.Test>', (("a.test",), 1, "env.test")),
    "bounce": ("Return-Path: <>\nFrom: MAILER-DAEMON (x)", ((), 1, "")),
    "two authors": ("From: a@a.test, b@b.test", (("a.test", "b.test"), 1, None)),
    "two fields": ("From: a@a.test\nFrom: b@b.test", (("a.test", "b.test"), 2, None)),
    "folded": ("From: A\n\t<a@a.test>", (("a.test",), 1, None)),
    "in a body": ("Subject: x\n\nFrom: a@a.test", ((), 0, None)),
    "in a body with CR LF": ("Subject: x\r\n\r\nFrom: a@a.test", ((), 0, None)),
}


@pytest.mark.parametrize("case", ADDRESSES)
def test_addresses(case):
    headers, expected = ADDRESSES[case]
    found = arrival_of(headers)
    assert (found.author_domains, found.from_fields, found.return_path) == expected


HOSTILE = {
    "no header": "a" * 300_000,
    "words": "Received: " + "by " * 100_000,
    "quotes": "Authentication-Results: " + '"a=' * 100_000,
    "pairs": "Authentication-Results: x; " + "a/1 " * 100_000,
    "semicolons": "Authentication-Results: " + ";" * 200_000,
    "addresses": "From: " + "<a@b," * 50_000,
    "comments": "From: " + "(" * 200_000,
    "tags": "DKIM-Signature: " + "h=a:" * 50_000,
    "fields": "Received: a by b\n" * 20_000,
    "date": "Received: x; " + "Mon " * 50_000,
    "octets": "Fr\u00f6m: \udcff\0\x1b[31m <a@b>\nFrom: \udce4@\udcff\n",
    "nothing": "",
}


@pytest.mark.parametrize("case", HOSTILE)
def test_hostile_headers_are_bounded(case):
    clock = time.monotonic()
    found = arrival_of(HOSTILE[case])
    assert time.monotonic() - clock < 5
    assert len(found.received) <= MOST
    assert len(str(plain(found))) < 300_000


@given(st.text(), st.sampled_from(["From", "Received", "Authentication-Results", "DKIM-Signature", "Return-Path"]))
def test_any_text_can_be_read(text: str, name: str):
    message = MessageProof(
        *(587, "app", "a@b.test", "a@b.test", "me@c.test", "n1", "2026-03-01T12:00:00Z"),
        arrival=arrival_of(f"{name}: {text}"),
    )
    facts = ProofFacts("relay.test", messages=(message,))
    evidence = Evidence(Kind.PROOF, "relay.test", "2026-03-01T12:00:00Z", 1.0, Vantage("controller"), facts)
    assert read(evidence.to_dict()) == evidence


def test_no_header_is_kept():
    secret = "bh=SECRETHASH; b=SECRETSIGNATURE"
    lines = ["Subject: SECRETSUBJECT", f"DKIM-Signature: d=a.test; {secret}", "From: SECRETNAME <SECRETUSER@a.test>"]
    document: dict[str, t.Any] = plain(arrival_of("\n".join(lines)))
    assert "SECRET" not in str(document)
    assert forbidden_in(document) == []

# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One sender for all mail to an upstream. The lab asks Postfix the same of these tables (test_names.py)."""

from __future__ import annotations

import re
import typing as t

import pytest

from ansible_collections.mailops.smtp.tests.unit.support.relay_plans import MX, plan, problems_of, service, table

UPSTREAM = {"host": "smtp.p.test", "username": "me@p.test", "password": "pw", "sender": "login"}
DEPLOY = {"host": "smtp.p.test", "username": "deploy@p.test", "password": "pw"}


def look_up(lines: t.Sequence[str], text: str) -> str:
    """Look a text up as regexp_table(5) does; the classes of POSIX are those of Python here."""
    for line in lines:
        pattern, result = re.fullmatch(r"/((?:[^\\/]|\\.)*)/ (.*)", line).groups()  # type: ignore[union-attr]
        pattern = pattern.replace("[^][[:space:]", r"[^\]\[\s").replace("[[:space:]]", r"\s")
        match = re.search(pattern, text, re.IGNORECASE | re.DOTALL)
        if match:
            groups = {"$": "$", **{str(number): text or "" for number, text in enumerate(match.groups(), 1)}}
            return re.sub(r"\$(.)", lambda found, groups=groups: groups[found[1]], result)
    return text


@pytest.mark.parametrize(
    ("sender", "expected"),
    [
        *((name, "me@p.test") for name in ("root@a.test", "root@client.a.test", "www@other.test", "ROOT@localhost")),
        ("double-bounce@relay.a.test", "double-bounce@relay.a.test"),
        ('""', '""'),  # the null sender, as Postfix looks it up
        ("app@a.test", "deploy@p.test"),
        ("App+x@a.test", "deploy@p.test"),
        ("notapp@a.test", "me@p.test"),
        ("any@b.test", "any@b.test"),
        ("any@notb.test", "me@p.test"),
        ("exact@b.test", "deploy@p.test"),
    ],
)
def test_envelope_sender_becomes_that_of_the_upstream(sender: str, expected: str) -> None:
    routes = [
        {"senders": ["@b.test"], "upstream": {"host": "smtp.b.test"}},
        {"senders": ["app@a.test", "exact@b.test"], "upstream": {**DEPLOY, "sender": "login"}},
    ]
    made = plan(upstream=UPSTREAM, routes=routes)
    assert made["main"]["sender_canonical_maps"] == "regexp:/etc/postfix/relay_one_sender"
    assert made["main"]["sender_canonical_classes"] == "envelope_sender"
    assert look_up(table(made, "relay_one_sender"), sender) == expected
    assert "deploy@p.test to-smtp-p-test-587-2:[smtp.p.test]:587" in table(made, "relay_sender_transports")


@pytest.mark.parametrize(
    ("sender", "expected"),
    [
        *(
            (name, "me@p.test")
            for name in ("root@a.test", "root@x.a.test", "root@localhost", "root@relay", "a@[127.0.0.1]")
        ),
        *((name, name) for name in ("y@outside.test", "y@nota.test", "y@localhost.outside.test")),
    ],
)
def test_sender_of_a_stranger_stays_on_an_mx(sender: str, expected: str) -> None:
    made = plan(**{**MX, "upstream": UPSTREAM}, domains=[{"name": "c.test"}])
    assert look_up(table(made, "relay_one_sender"), sender) == expected


HEADERS = [
    ("From: root@client.a.test", 'From: "root@client.a.test" <me@p.test>'),
    ("from:root@client.a.test", 'From: "root@client.a.test" <me@p.test>'),
    ("From: <root@client.a.test>", 'From: "root@client.a.test" <me@p.test>'),
    ("From: root@a.test (Cron Daemon)", 'From: "Cron Daemon" <me@p.test>'),
    ("From: Größe <x@a.test>", "From: Größe <me@p.test>"),
    ('From: "Doe, Jo <x>" <jo@a.test>', 'From: "Doe, Jo <x>" <me@p.test>'),
    ('From: "say \\"hi\\"" <jo@a.test>', 'From: "say \\"hi\\"" <me@p.test>'),
    ("From: =?utf-8?q?J=C3=B6?=\n <jo@a.test>", "From: =?utf-8?q?J=C3=B6?=\n <me@p.test>"),
    ("From: A <a@a.test>, B <b@a.test>", "From: A <me@p.test>"),
    ("From: a@a.test, B <b@a.test>", "From: <me@p.test>"),
    ("From: Doe, Jo <jo@a.test>", "From: <me@p.test>"),
    ("From: root@a.test <root@a.test>", "From: <me@p.test>"),
    ("From: a:b@a.test;", "From: <me@p.test>"),
    ("From: me@p.test", "DUNNO"),
    ("From: Me <ME@p.test>", "DUNNO"),
    ("From: notme@p.test", 'From: "notme@p.test" <me@p.test>'),
    ("From: Me <notme@p.test>", "From: Me <me@p.test>"),
    ("Sender: x@a.test", "IGNORE"),
    ("Reply-To: x@a.test", "Reply-To: x@a.test"),
    ("X-From: x@a.test", "X-From: x@a.test"),
]


@pytest.mark.parametrize(("field", "expected"), HEADERS)
def test_from_carries_the_sender_and_keeps_its_name(field: str, expected: str) -> None:
    made = plan(upstream=UPSTREAM)
    assert (
        service(made, "to-smtp-p-test-587")["smtp_header_checks"]
        == "regexp:/etc/postfix/relay_from_to-smtp-p-test-587, regexp:/etc/postfix/relay_local_hop"
    )
    found = look_up(table(made, "relay_from_to-smtp-p-test-587"), field)
    assert found.removeprefix("REPLACE ") == expected


def test_any_character_of_an_address_is_literal() -> None:
    made = plan(upstream={**UPSTREAM, "sender": "a$1/b.c+d@p.test"})
    lines = table(made, "relay_from_to-smtp-p-test-587")
    assert look_up(lines, "From: A <x@a.test>") == "REPLACE From: A <a$1/b.c+d@p.test>"
    assert look_up(lines, "From: a$1/b.c+d@p.test") == "DUNNO"
    assert look_up(lines, "From: <a$1/bxc+d@p.test>") != "DUNNO"
    assert look_up(table(made, "relay_one_sender"), "x@a.test") == "a$1/b.c+d@p.test"


def test_notices_leave_with_the_sender_of_the_upstream() -> None:
    made = plan(upstream=UPSTREAM, rewrites={"generic": {"@a.test": "x@b.test"}})
    assert table(made, "relay_generic") == ["double-bounce@relay.a.test me@p.test", "@a.test x@b.test"]


def test_senders_stay_by_default() -> None:
    made = plan(upstream=DEPLOY)
    assert not {"sender_canonical_maps", "smtp_generic_maps"} & set(made["main"])
    assert "smtp_header_checks" not in service(made, "to-smtp-p-test-587")


@pytest.mark.parametrize(
    ("changes", "sender"),
    [
        ({}, "postmaster@a.test"),
        ({"listeners": [{"port": 25}], "networks": ["192.0.2.0/24"]}, "root@relay.a.test"),
        (
            {
                "listeners": [{"port": 587}],
                "users": [{"name": "app", "password": "x", "senders": ["@b.test", "c@b.test"]}],
            },
            "c@b.test",
        ),
    ],
)
def test_proof_is_sent_as_by_a_host_behind_the_relay(changes: dict[str, t.Any], sender: str) -> None:
    assert plan(**changes)["proof_sender"] == sender


BAD_SENDERS = [
    (
        {"upstream": {**UPSTREAM, "username": "apikey"}},
        "relay_upstream.sender: is login, and username is not an address",
    ),
    ({"upstream": {"host": "smtp.p.test", "sender": "login"}}, "relay_upstream.sender: is login, and username"),
    ({"upstream": {**UPSTREAM, "sender": "someone"}}, "relay_upstream.sender: 'someone' is not a valid address"),
    ({"upstream": {**UPSTREAM, "sender": True}}, "relay_upstream.sender: 'True' is not a valid address"),
    ({"upstream": UPSTREAM, "rewrites": {"sender_canonical": {"@a.test": "x@p.test"}}}, "expected only one of them"),
    ({"routes": [{"recipients": ["b.test"], "upstream": UPSTREAM}]}, "relay_routes[0].upstream.sender: the sender is"),
    ({**MX, "domains": [{"name": "b.test", "to": UPSTREAM}]}, "relay_domains[0] (b.test).to.sender: the sender is"),
    (
        {"upstream": UPSTREAM, "routes": [{"senders": ["x@a.test"], "upstream": {**DEPLOY, "sender": "me@p.test"}}]},
        "relay_routes: me@p.test is listed more than once",
    ),
]


@pytest.mark.parametrize(("changes", "words"), BAD_SENDERS)
def test_invalid_sender_is_refused_with_a_reason(changes: dict[str, t.Any], words: str) -> None:
    problems = problems_of(**changes)
    assert any(words in problem for problem in problems), problems

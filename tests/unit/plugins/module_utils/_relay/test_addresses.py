# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Aliases and rewriting: what the tables contain, and what is refused."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.mailops.smtp.tests.unit.support.relay_plans import (
    MX,
    plan,
    problems_of,
    table,
)


def test_mail_of_the_host_has_a_recipient() -> None:
    assert table(plan(), "relay_aliases") == [
        "root postmaster@a.test",
        "postmaster@relay.a.test postmaster@a.test",
        "root@relay.a.test postmaster@a.test",
    ]
    made = plan(aliases={"root": ["ops@b.test"], "Abuse": "root, legal@b.test"})
    assert table(made, "relay_aliases") == [
        "root ops@b.test",
        "abuse root, legal@b.test",
        "postmaster@relay.a.test ops@b.test",
        "root@relay.a.test ops@b.test",
        "abuse@relay.a.test root, legal@b.test",
    ]
    assert made["main"]["virtual_alias_domains"] == "$myhostname"


def test_domain_with_listed_recipients_gets_a_postmaster() -> None:
    """RFC 5321 section 4.5.1."""
    domains = [{"name": "a.test", "recipients": ["x"]}, {"name": "b.test", "recipients": ["postmaster"]}]
    made = plan(**MX, domains=domains, aliases={"root": "ops@c.test"})
    assert "postmaster@a.test ops@c.test" in table(made, "relay_aliases")
    assert not [line for line in table(made, "relay_aliases") if line.startswith("postmaster@b.test")]


ALIASES = [
    {"root": "root@a.test"},  # unchanged by virtual(5)
    {"postmaster": "root", "root": ["root", "ops@b.test"]},
    {"a": ["b", "c"], "b": "d", "c": "d", "d": "ops@b.test"},
]


@pytest.mark.parametrize("aliases", ALIASES)
def test_aliases_without_a_loop_are_accepted(aliases: dict[str, t.Any]) -> None:
    assert table(plan(aliases=aliases), "relay_aliases")


def test_address_takes_precedence_over_a_name_of_the_host() -> None:
    """The canary refuses a table with two lines for one key."""
    made = plan(aliases={"abuse": "a@b.test"}, rewrites={"virtual": {"abuse@relay.a.test": "c@b.test"}})
    assert [line for line in table(made, "relay_aliases") if line.startswith("abuse@")] == [
        "abuse@relay.a.test c@b.test"
    ]


BAD_ADDRESSES = [
    (
        {"rewrites": {"header_checks": [{"match": "/%,;", "action": "IGNORE"}]}},
        "contains every delimiter; expected a pattern without at least one of",
    ),
    ({"aliases": {"a@b.test": "c@d.test"}}, "relay_aliases.a@b.test: is an address"),
    ({"aliases": {"root": []}}, "relay_aliases.root: has no recipient"),
    (
        {"aliases": {"postmaster": "root"}},
        "relay_aliases: root@a.test -> postmaster@a.test -> root@a.test is a loop",
    ),
    (
        {"aliases": {"a": ["x@b.test", "b"], "b": "c@relay.a.test", "c": "a"}},
        "a@a.test -> b@a.test -> c@relay.a.test -> a@a.test is a loop",
    ),
    (
        {"rewrites": {"virtual": {"@b.test": "x@c.test", "@c.test": "y@b.test"}}},
        "x@c.test -> y@b.test -> x@c.test is a loop",
    ),
    ({"aliases": {"root": None}}, "relay_aliases.root: has no recipient"),
    ({"aliases": {"root": "ops@b.test\nx y"}}, "relay_aliases.root: "),
    ({"rewrites": {"generic": {"a": "b@c.test"}}}, "relay_rewrites.generic: 'a' is not a valid address"),
    ({"aliases": {"Backup": "a@dest.test", "backup": "b@dest.test"}}, "relay_aliases: backup is listed more than once"),
    ({"rewrites": {"generic": {"@A.test": "x@b.test", "@a.test": "y@b.test"}}}, "generic: @a.test is listed more than"),
    ({"rewrites": {"header_checks": [{"match": "^X", "action": "drop it"}]}}, "'drop it' is not a valid action"),
    (
        {"rewrites": {"header_checks": [{"match": "^X", "action": "DELETE"}]}},
        "'DELETE' is not a valid action; expected it to begin with BCC,",
    ),
    (
        {"rewrites": {"header_checks": [{"match": "/^X-/", "action": "IGNORE"}]}},
        "never matches; expected the pattern without delimiters",
    ),
    ({"rewrites": {"header_checks": [{"match": "^X\nif", "action": "IGNORE"}]}}, "is empty or not a single line"),
]


@pytest.mark.parametrize(("changes", "words"), BAD_ADDRESSES)
def test_invalid_alias_or_rewrite_is_refused_with_a_reason(changes: dict[str, t.Any], words: str) -> None:
    problems = problems_of(**changes)
    assert any(words in problem for problem in problems), problems

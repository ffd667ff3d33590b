# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Strangers: whose senders are ours, which recipients lead to a login, and what is said in return."""

from __future__ import annotations

import re
import typing as t

import pytest

from ansible_collections.mailops.smtp.tests.unit.support.relay_plans import (
    LOGINS,
    MX,
    plan,
    problems_of,
    service,
    table,
)

WITH_LOGIN = {"host": "smtp.p.test", "username": "u", "password": "p"}
PLAIN = {"host": "mx.b.test"}
DOMAINS = [{"name": "b.test", "to": PLAIN}]
HOST_NAMES = ["postmaster@relay.a.test", "root@relay.a.test"]

#: Variables, and the recipients that are closed to strangers.
CLOSED: list[tuple[dict[str, t.Any], list[str]]] = [
    ({"upstream": WITH_LOGIN}, HOST_NAMES),
    ({"upstream": WITH_LOGIN, "aliases": {"root": "ops@c.test"}}, HOST_NAMES),
    (
        {"upstream": WITH_LOGIN, "aliases": {"root": "ops@b.test", "abuse": ["root", "x@c.test"]}},
        ["abuse@relay.a.test"],
    ),
    ({"upstream": WITH_LOGIN, "strangers": {"upstream_login": True}}, []),
    ({"upstream": {"host": "smtp.p.test"}}, []),
    ({"upstream": {}}, []),
    ({"upstream": {}, "routes": [{"recipients": ["a.test"], "upstream": WITH_LOGIN}]}, HOST_NAMES),
    (
        {
            "upstream": {},
            "aliases": {"root": "x@y.c.test"},
            "routes": [{"recipients": [".c.test"], "upstream": WITH_LOGIN}],
        },
        HOST_NAMES,
    ),
    ({"upstream": {}, "routes": [{"senders": ["x@c.test"], "upstream": WITH_LOGIN}]}, HOST_NAMES),
    ({"upstream": WITH_LOGIN, "routes": [{"recipients": ["a.test"], "direct": True}]}, []),
    ({"upstream": WITH_LOGIN, "domains": [{"name": "a.test"}]}, []),
    ({"upstream": {**PLAIN, "fallbacks": [{**WITH_LOGIN, "host": "other.test"}]}}, HOST_NAMES),
    ({"rewrites": {"virtual": {"sales@b.test": "x@c.test", "in@b.test": "y@b.test"}}}, ["sales@b.test"]),
    (
        {"rewrites": {"virtual": {"@b.test": "x@c.test", "own@b.test": "own@b.test", "ops@b.test": "ops@b.test"}}},
        ["b.test"],
    ),
    ({"rewrites": {"canonical": {"old@b.test": "new@c.test"}}}, ["old@b.test"]),
    ({"rewrites": {"recipient_canonical": {"@b.test": "@c.test"}}}, ["b.test"]),
    ({"rewrites": {"virtual": {"sales@c.test": "x@d.test"}}}, []),  # no stranger can send there
]


@pytest.mark.parametrize(("changes", "closed"), CLOSED)
def test_mail_of_strangers_does_not_leave_by_an_upstream_with_a_login(
    changes: dict[str, t.Any], closed: list[str]
) -> None:
    variables = {**MX, "domains": DOMAINS, **changes}
    if "rewrites" in changes:
        variables.update(upstream=WITH_LOGIN, aliases={"root": "ops@b.test"})
    made = plan(**variables)
    assert [line.split(" ", 1)[0] for line in table(made, "relay_closed")] == closed
    assert ("relay_closed" in made["main"]["smtpd_relay_restrictions"]) == bool(closed)


#: Names of the host that mean nothing elsewhere; a sender there becomes one of the own domain.
LOCAL = re.compile(r"(localhost|ip6-|relay )")


def test_senders_that_are_ours_need_a_login() -> None:
    users = [{"name": "u", "password": "p", "senders": ["one@c.test", "@d.test"]}]
    rewrites = {
        "canonical": {"@old.test": "@a.test"},
        "sender_canonical": {"x@e.test": "y@a.test"},
        "recipient_canonical": {"r@f.test": "r@a.test"},  # does not change a sender
        "generic": {"root@g.test": "ops@a.test"},
        "masquerade": ["a.test"],
    }
    routes = [{"senders": ["@h.test"], "direct": True}]
    made = plan(**MX, domains=DOMAINS, users=users, rewrites=rewrites, routes=routes)
    lines = [line for line in table(made, "relay_own_senders") if not LOCAL.match(line)]
    assert LOCAL.match("localhost.localdomain 550")
    assert len(lines) < len(table(made, "relay_own_senders"))
    assert {line.split(" ", 1)[1] for line in lines} == {"550 5.7.1 log in to send as this address"}
    assert [line.split(" ", 1)[0] for line in lines] == [
        *("a.test", "relay.a.test", "b.test", ".a.test", "one@c.test", "d.test", "h.test"),
        *("old.test", "x@e.test", "root@g.test"),
    ]


def test_own_senders_can_be_open_to_forwarders() -> None:
    made = plan(strangers={"own_senders": True})
    assert table(made, "relay_own_senders") == []
    assert made["main"]["smtpd_relay_restrictions"].split(", ") == [
        *("permit_mynetworks", "reject_unauth_destination", "reject_unlisted_recipient"),
        "check_recipient_access regexp:/etc/postfix/relay_literals",
        *("reject_non_fqdn_sender", "reject_unknown_sender_domain"),
    ]


def test_only_allowed_networks_and_logins_get_reports() -> None:
    made = plan(**LOGINS, networks=["192.0.2.0/24", "2001:db8::/32"])
    networks = ("127.0.0.0/8", "::1/128", "192.0.2.0/24", "2001:db8::/32")
    assert table(made, "relay_keywords") == [f"{network} silent-discard, etrn" for network in networks]
    assert service(made, "587")["smtpd_discard_ehlo_keywords"] == "silent-discard, etrn"
    assert "smtpd_discard_ehlo_keywords" not in service(made, "25")


def test_a_listener_with_a_login_binds_every_spelling() -> None:
    made = plan(**LOGINS)
    assert service(made, "587")["smtpd_command_filter"] == "regexp:/etc/postfix/relay_login_commands"
    assert made["main"]["smtpd_command_filter"] == "regexp:/etc/postfix/relay_commands"
    common = table(made, "relay_commands")
    assert "RCPT TO:<postmaster@relay.a.test>$" in common[1]
    *first, last = table(made, "relay_login_commands")
    assert (first, last[-6:]) == (common, "/ MAIL")
    assert table(made, "relay_login_senders")[0].startswith("/@.*@/ 553 5.7.1 ")


SIZES = [
    ({"upstream": {"host": "a.test"}}, None),
    ({"upstream": {"host": "a.test", "message_size": 5000}}, "5000"),
    ({"upstream": {}, "domains": [{"name": "b.test", "to": {**PLAIN, "message_size": 4000}}]}, "4000"),
    ({"routes": [{"recipients": ["c.test"], "upstream": {"host": "a.test", "message_size": 3000}}]}, "3000"),
    ({"upstream": {"host": "a.test", "message_size": 5000}, "limits": {"message_size": 9000}}, "9000"),
]


@pytest.mark.parametrize(("changes", "size"), SIZES)
def test_a_message_too_large_for_a_next_server_is_not_accepted(changes: dict[str, t.Any], size: str | None) -> None:
    assert plan(**{**MX, **changes})["main"].get("message_size_limit") == size


def test_strangers_get_no_warning_of_a_delay() -> None:
    assert plan(**MX, domains=DOMAINS)["main"]["delay_warning_time"] == "0h"
    assert plan(**MX, domains=DOMAINS, limits={"delay_warning": "4h"})["main"]["delay_warning_time"] == "4h"
    assert "delay_warning_time" not in plan()["main"]


def test_user_id_of_a_local_program_is_removed() -> None:
    assert table(plan(), "relay_local_hop") == [
        r"/^(Received: by relay\.a\.test \([^()]*), from userid [0-9]+\)(.*)$/ REPLACE $1)$2"
    ]


def test_old_clients_need_a_switch() -> None:
    name = "smtpd_tls_mandatory_exclude_ciphers"
    assert name not in plan(**LOGINS)["main"]  # that of the hardening
    assert plan(**LOGINS, tls={"old_clients": True})["main"][name] == "aNULL, MD5"


def test_invalid_size_is_refused() -> None:
    assert "relay_upstream.message_size" in problems_of(upstream={"host": "a.test", "message_size": "10M"})[0]

# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Services of master.cf: listeners, and entries of the user's own."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.mailops.smtp.tests.unit.support.relay_plans import (
    LOGINS,
    plan,
    problems_of,
    service,
    table,
    users,
)


def test_submission_ports_require_tls_and_a_login() -> None:
    made = plan(**LOGINS)
    assert service(made, "25")["smtpd_tls_security_level"] == "may"
    assert "smtpd_sasl_auth_enable" not in service(made, "25")
    assert service(made, "465")["smtpd_tls_wrappermode"] == "yes"
    for port in ("465", "587"):
        assert service(made, port)["smtpd_tls_security_level"] == "encrypt"
        assert service(made, port)["smtpd_relay_restrictions"] == "permit_sasl_authenticated,reject"
    assert table(made, "relay_senders") == ["deploy@a.test deploy", "@b.test deploy"]
    assert users(made).startswith("deploy:{SCRAM-SHA-256}")
    assert "pw" not in users(made).split(":")[1].split(",")


def test_port_25_is_on_loopback_unless_a_listener_has_it() -> None:
    """Programs of the host can always send."""
    lines = [one["line"] for one in plan(**{**LOGINS, "listeners": [{"port": 587}]})["services"]]
    assert "127.0.0.1:25 inet n - n - - smtpd" in lines


def test_own_services_replace_those_of_the_role() -> None:
    own = {"name": "127.0.0.1:10025", "type": "inet", "command": "smtpd", "options": {"smtpd_milters": None}}
    made = plan(services=[own, {"name": "smtp", "command": "smtp -v", "processes": 5}])
    lines = [one["line"] for one in made["services"]]
    assert "127.0.0.1:10025 inet n - n - - smtpd" in lines
    assert [line for line in lines if line.startswith("smtp unix")] == ["smtp unix - - n - 5 smtp -v"]
    assert service(made, "127.0.0.1:10025") == {"smtpd_milters": ""}


BAD_SERVICES = [
    ({"settings": {"smtpd_milters": ["a", "b\nrelay_domains = x"]}}, "relay_settings.smtpd_milters: "),
    ({"settings": {"a b": "c"}}, "relay_settings.a b: "),
    ({"settings": {"biff": "no\nsmtpd_x = y"}}, "relay_settings.biff: "),
    (
        {"services": [{"name": "a b", "command": "smtpd"}]},
        "relay_services[0] (a b): is not a valid service name; expected one",
    ),
    (
        {"services": [{"name": "a", "command": "smtpd", "options": {"x": "1\n2"}}]},
        "options.x: is not valid; expected a Postfix",
    ),
    ({"services": [{"name": "a", "command": "smtpd", "options": {"x": "a } {"}}]}, "options.x: has braces"),
    ({"services": [{"name": "a", "command": "smtpd", "options": {"x": "inline:{ {a = b}"}}]}, "options.x: has braces"),
    ({"services": [{"name": "a", "command": "pipe\nb unix"}]}, "relay_services[0] (a).command: "),
    ({"services": [{"name": "a", "command": None}]}, "relay_services[0] (a).command: "),
]


@pytest.mark.parametrize(("changes", "words"), BAD_SERVICES)
def test_invalid_service_or_setting_is_refused_with_a_reason(changes: dict[str, t.Any], words: str) -> None:
    problems = problems_of(**changes)
    assert any(words in problem for problem in problems), problems


@pytest.mark.parametrize(
    ("listener", "name"),
    [
        ({"port": 25}, None),
        ({"port": 2525, "login": False, "tls": "none"}, None),
        ({"port": 587}, "postfix/submission"),
        ({"port": 2587}, "postfix/submission"),
        ({"port": 465}, "postfix/smtps"),
        ({"port": 10465, "tls": "implicit", "login": False}, "postfix/smtps"),
    ],
)
def test_listener_has_a_name_in_the_log_that_tools_know(listener: dict[str, t.Any], name: str | None) -> None:
    made = plan(listeners=[listener], users=[{"name": "app", "password": "pw"}])
    assert service(made, str(listener["port"])).get("syslog_name") == name


def test_header_beyond_ascii_needs_no_smtputf8() -> None:
    """An address does: qmgr(8) looks for it, and the probes of verify(8) go through a cleanup(8) that does."""
    made = plan()
    assert service(made, "cleanup") == {"smtputf8_enable": "no"}
    assert service(made, service(made, "verify")["cleanup_service_name"]) == {}
    assert "smtputf8_enable" not in made["main"]

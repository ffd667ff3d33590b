# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Shapes of the role's variables, checked against its own specification, and names that resemble a variable."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest
import yaml

from ansible_collections.mailops.smtp.plugins.module_utils._relay.plan import make_plan
from ansible_collections.mailops.smtp.plugins.module_utils._relay.shapes import (
    find_misshapen,
    find_misspelled,
    kind_of,
)
from ansible_collections.mailops.smtp.tests.unit.support.relay_plans import LOGINS, options

ROLE = Path(__file__).resolve().parents[5] / "roles/relay"
SPEC = yaml.safe_load((ROLE / "meta/argument_specs.yml").read_text())["argument_specs"]["main"]["options"]

WRONG: list[tuple[str, t.Any, str]] = [
    # dictionaries
    ("relay_upstream", "smtp.example.com", "relay_upstream: is text; expected a dictionary with options such as"),
    ("relay_upstream", ["a"], "relay_upstream: is a list; expected a dictionary"),
    ("relay_limits", 50, "relay_limits: is a number; expected a dictionary"),
    ("relay_tls", True, "relay_tls: is a boolean; expected a dictionary"),
    ("relay_aliases", ["root"], "relay_aliases: is a list; expected a dictionary"),
    ("relay_upstream", {"hots": "x"}, "relay_upstream.hots: is not an option; expected host"),
    ("relay_upstream", {"colour": "x"}, "relay_upstream.colour: is not an option; expected only provider, region"),
    # lists
    ("relay_listeners", [25, 587], "relay_listeners[0]: is a number; expected a dictionary with port"),
    ("relay_listeners", 25, "relay_listeners: is a number; expected a list of dictionaries, such as"),
    ("relay_listeners", {"port": 25}, "relay_listeners: is a dictionary; expected a list of dictionaries, such as"),
    ("relay_listeners", "25,587", "relay_listeners: is text; expected a list of dictionaries"),
    ("relay_listeners", [None], "relay_listeners[0]: is empty; expected a dictionary with port"),
    ("relay_listeners", [[{"port": 25}]], "relay_listeners[0]: is a list; expected a dictionary with port"),
    (
        "relay_listeners",
        [{"tls": "none"}],
        "relay_listeners[0].port: is missing; expected a value, since it has no default",
    ),
    ("relay_users", ["app:secret"], "relay_users[0]: is text; expected a dictionary with name"),
    ("relay_networks", {"a": 1}, "relay_networks: is a dictionary; expected a list"),
    ("relay_networks", [["192.0.2.0/24"]], "relay_networks[0]: is a list; expected text"),
    ("relay_networks", [None], "relay_networks[0]: is empty; expected text"),
    # values
    ("relay_listeners", [{"port": 25, "tls": True}], "relay_listeners[0].tls: true is not valid; expected one of none"),
    ("relay_upstream", {"tls": True}, "relay_upstream.tls: true is not valid; expected one of none, opportunistic"),
    ("relay_upstream", {"tls": "ssl"}, "relay_upstream.tls: 'ssl' is not valid; expected one of none, opportunistic"),
    ("relay_limits", {"message_size": "50M"}, "relay_limits.message_size: '50M' is not valid; expected a whole number"),
    ("relay_limits", {"message_size": 5.5}, "relay_limits.message_size: '5.5' is not valid; expected a whole number"),
    ("relay_verify", {"timeout": "1m"}, "relay_verify.timeout: '1m' is not valid; expected a whole number, without"),
    ("relay_verify", {"to": ["a@example.com"]}, "relay_verify.to: is a list; expected text"),
    ("relay_listeners", [{"port": True}], "relay_listeners[0].port: true is not valid; expected a whole number"),
    ("relay_listeners", [{"port": [25]}], "relay_listeners[0].port: is a list; expected a whole number"),
    ("relay_listeners", [{"port": 25, "login": "maybe"}], "login: 'maybe' is not valid; expected true or false"),
    (
        "relay_dns",
        {"check": ["mx", "spam"]},
        "relay_dns.check[1]: 'spam' is not valid; expected one of a, mx, ptr, spf",
    ),
    ("relay_dns", {"check": "mx, spam"}, "relay_dns.check: 'spam' is not valid; expected one of"),
    (
        "relay_firewall",
        {"backend": "iptables"},
        "relay_firewall.backend: 'iptables' is not valid; expected one of auto",
    ),
    ("relay_hostname", ["relay.example.com"], "relay_hostname: is a list; expected text"),
    # at any depth
    ("relay_routes", [{"upstream": "smtp"}], "relay_routes[0].upstream: is text; expected a dictionary"),
    ("relay_domains", [{"name": "a", "to": {"prot": 1}}], "relay_domains[0].to.prot: is not an option; expected port"),
    ("relay_upstream", {"fallbacks": ["b"]}, "relay_upstream.fallbacks[0]: is text; expected a dictionary with host"),
    ("relay_rewrites", {"header_checks": [{"match": "x"}]}, "relay_rewrites.header_checks[0].action: is missing"),
]


@pytest.mark.parametrize(("name", "value", "words"), WRONG)
def test_another_shape_is_told_in_one_sentence(name: str, value: t.Any, words: str) -> None:
    problem, *others = find_misshapen(SPEC, {name: value})
    assert words in problem
    assert len(others) == (len(value) - 1 if value == [25, 587] else 0)


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, value, _words in WRONG])
def test_the_plan_reports_a_wrong_shape_and_reads_nothing(name: str, value: t.Any) -> None:
    given = options(**{name.removeprefix("relay_"): value}, spec=SPEC, names=[])
    assert make_plan(given)["problems"] == find_misshapen(SPEC, {name: value})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("relay_networks", "192.0.2.0/24, 2001:db8::/32"),
        ("relay_networks", 5),
        ("relay_listeners", [{"port": "25", "login": "no", "from": None}]),
        ("relay_limits", {"message_size": "52428800", "recipients": None}),
        ("relay_aliases", {"root": ["a@example.com"], "ops": "b@example.com"}),
        ("relay_upstream", {}),
        ("relay_dns", {"check": []}),
        *((f"relay_{name}", value) for name, value in LOGINS.items()),
    ],
)
def test_every_form_that_is_read_has_a_right_shape(name: str, value: t.Any) -> None:
    assert find_misshapen(SPEC, {name: value}) == []


def test_a_value_that_may_be_secret_is_not_shown() -> None:
    given = {
        "relay_users": [{"name": "app", "password": ["hidden"]}, "app:hidden"],
        "relay_upstream": "smtp://u:hidden@smtp.example.com",
    }
    problems = find_misshapen(SPEC, given)
    assert len(problems) == 3
    assert "hidden" not in " ".join(problems)


def test_no_variable_has_a_type_that_ansible_would_check() -> None:
    """An error of Ansible's own check prints the whole specification."""
    assert {name: option["type"] for name, option in SPEC.items() if option["type"] not in ("raw", "str")} == {}
    assert [name for name, option in SPEC.items() if option.get("required") or option.get("choices")] == []
    assert kind_of(SPEC["relay_listeners"]) == ("list", "dict")
    assert kind_of(SPEC["relay_networks"]) == ("list", "str")
    assert kind_of(SPEC["relay_upstream"]) == ("dict", "str")


@pytest.mark.parametrize("state", ["abscent", "removed", None, True])
def test_another_state_is_refused(state: t.Any) -> None:
    (problem,) = make_plan(options(state=state, spec=SPEC))["problems"]
    assert problem.startswith("relay_state: ")


MISSPELLED = {
    "relay_listners": "relay_listeners",
    "relay_listener": "relay_listeners",
    "relay_user": "relay_users",
    "relay_alias": "relay_aliases",
    "relay_host_name": "relay_hostname",
    "relay_upsteam": "relay_upstream",
    "relay_fierwall": "relay_firewall",
    "relay_tsl": "relay_tls",
    "relay_verfiy": "relay_verify",
    "relay_rewrite": "relay_rewrites",
}


@pytest.mark.parametrize(("name", "meant"), MISSPELLED.items())
def test_a_misspelled_variable_is_refused_with_the_name_that_was_meant(name: str, meant: str) -> None:
    (problem,) = find_misspelled([name, "relay_users"], SPEC)
    assert problem.startswith(f"{name}: is not a variable of the role, and resembles {meant};")


@pytest.mark.parametrize(
    "name",
    [
        *("relay_result", "relay_check", "relay_status", "relay_server", "relay_name", "relay_password", "relay_ip"),
        *("relay_facts", "relay_port", "relay_image", "relay_group", "relay_username", "relay_info", "relay_id"),
        *("relay_upstream_password", "relay_board_pins", "relay_out", "relay_"),
    ],
)
def test_a_variable_of_someone_else_is_left_alone(name: str) -> None:
    assert find_misspelled([name], SPEC) == []

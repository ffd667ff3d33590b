# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bridges to upstreams with OAuth2: entries of master.cf, and the files of both programs."""

from __future__ import annotations

import datetime
import json
import typing as t

import pytest

from ansible_collections.mailops.smtp.plugins.module_utils._relay.plan import make_plan
from ansible_collections.mailops.smtp.tests.unit.support.relay_plans import options, plan, service

APP: dict[str, t.Any] = {"tenant": "a.test", "client_id": "app", "client_secret": "hidden-secret"}
M365: dict[str, t.Any] = {"provider": "microsoft365", "username": "relay@a.test", "oauth": APP, "sender": "login"}
TRANSPORT = "to-smtp-office365-com-587"


def test_postfix_delivers_to_a_bridge_by_lmtp() -> None:
    made = plan(upstream=M365)
    assert made["main"]["default_transport"] == f"{TRANSPORT}:unix:private/microsoft365-socket"
    assert made["main"]["microsoft365-socket_time_limit"] == "1d"
    lines = [one["line"] for one in made["services"]]
    assert f"{TRANSPORT} unix - - n - - lmtp" in lines
    assert (
        "microsoft365-socket unix - n n - 3 spawn user=relay-oauth"
        " argv=/usr/bin/python3 -I /usr/local/lib/relay-oauth bridge microsoft365"
    ) in lines
    own = service(made, TRANSPORT)
    assert own["lmtp_tls_security_level"] == "none"
    assert own["lmtp_header_checks"].startswith("regexp:")
    assert not any(name.startswith("smtp_") for name in own)


def test_a_password_of_another_route_stays_with_postfix() -> None:
    route = {"recipients": ["b.test"], "upstream": {"host": "b.test", "username": "x", "password": "1"}}
    made = plan(upstream=M365, routes=[route])
    assert [one["transport"] for one in made["upstream_trials"]] == ["to-b-test-587"]


def test_the_secret_is_in_the_request_only() -> None:
    made = plan(upstream=M365)
    (request,) = (one for one in made["secret_files"] if one["path"] == "/etc/relay-oauth/microsoft365.request")
    facts = json.loads(request["secret"])
    assert request["mode"] == "0600"
    assert facts["oauth"] == {**APP, "provider": "microsoft"}
    assert (facts["name"], facts["username"]) == ("microsoft365", "relay@a.test")
    assert "hidden-secret" not in str(make_plan(options(upstream=M365)))


def test_the_bridge_knows_its_server() -> None:
    (one,) = plan(upstream=M365)["oauth"]
    assert (one["file"]["mode"], one["file"]["group"]) == ("0640", "relay-oauth")
    wanted = {"host": "smtp.office365.com", "port": 587, "tls": "starttls", "helo": "relay.a.test"}
    facts = json.loads(one["file"]["content"])
    assert {name: facts[name] for name in wanted} == wanted


def test_two_mailboxes_of_one_provider_have_names_of_their_own() -> None:
    route = {"senders": ["b@a.test"], "upstream": {**M365, "username": "b@a.test", "sender": None}}
    made = plan(upstream=M365, routes=[route])
    assert [one["name"] for one in made["oauth"]] == ["microsoft365", "microsoft365-2"]


def test_programs_are_there_only_with_oauth() -> None:
    assert plan()["oauth_programs"] == []
    paths = [one["path"] for one in plan(upstream=M365)["oauth_programs"]]
    assert "/usr/local/lib/relay-oauth/__main__.py" in paths


@pytest.mark.parametrize(("days", "words"), [(31, ""), (30, "in 30 days"), (-1, "expired on")])
def test_the_end_of_a_secret_is_told(days: int, words: str) -> None:
    date = datetime.datetime.now(datetime.UTC).date() + datetime.timedelta(days=days)
    (one,) = plan(upstream={**M365, "oauth": {**APP, "expires": date}})["oauth"]
    assert words in one["ends"] if words else one["ends"] == ""

# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bridges to upstreams with OAuth2: entries of master.cf, and the files of both programs."""

from __future__ import annotations

import datetime
import json
import re
import typing as t

import pytest
import trustme

from ansible_collections.mailops.smtp.plugins.module_utils._oauth.store import check_name
from ansible_collections.mailops.smtp.plugins.module_utils._oauth.upstream import BridgeConfig
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


@pytest.mark.parametrize(
    ("stage", "bridge"),
    [("lhlo", 300), ("mail", 300), ("rcpt", 300), ("data_init", 300), ("data_xfer", 300), ("data_done", 900)],
)
def test_postfix_waits_longer_than_the_bridge(stage: str, bridge: int) -> None:
    facts = {"host": "h.test", "port": 587, "tls": "starttls", "username": "u", "state_directory": "/x"}
    settings = BridgeConfig.read("m365", json.dumps(facts).encode()).settings
    assert bridge in (settings.timeout, settings.timeout + settings.final_timeout)
    assert int(service(plan(upstream=M365), TRANSPORT)[f"lmtp_{stage}_timeout"].rstrip("s")) > bridge


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


SERVER: dict[str, t.Any] = {"host": "smtp.p.test", "username": "a@a.test", "oauth": {**APP, "token_url": "https://p/"}}
#: upstreams -> the name of each
NAMES: list[tuple[list[dict[str, t.Any]], list[str]]] = [
    ([M365], ["microsoft365"]),
    ([M365, {**M365, "username": "B@a.test"}], ["microsoft365-relay-a-test", "microsoft365-b-a-test"]),
    ([{**M365, "username": "B@a.test"}, M365], ["microsoft365-b-a-test", "microsoft365-relay-a-test"]),
    ([M365, {**M365, "delay": 3}], ["microsoft365", "microsoft365-2"]),
    ([M365, {**M365, "provider": "gmail", "oauth": {**APP, "refresh_token": "r"}}], ["microsoft365", "gmail"]),
    ([SERVER, {**SERVER, "port": 588}], ["smtp-p-test-587", "smtp-p-test-588"]),
    ([SERVER, {**SERVER, "username": "b.c@a.test"}], ["smtp-p-test-587-a-a-test", "smtp-p-test-587-b-c-a-test"]),
    (
        [SERVER, {**SERVER, "username": "x" * 70}, {**SERVER, "username": "x" * 71}],
        ["smtp-p-test-587-a-a-test", f"smtp-p-test-587-{'x' * 23}-c71bd1", f"smtp-p-test-587-{'x' * 23}-87a1e4"],
    ),
]


@pytest.mark.parametrize(("upstreams", "names"), NAMES)
def test_each_mailbox_has_a_name_that_does_not_depend_on_the_others(
    upstreams: list[dict[str, t.Any]], names: list[str]
) -> None:
    """Otherwise, mail on its way could be sent with the login of another one while an upstream goes."""
    routes = [
        {"senders": [f"{number}@a.test"], "upstream": {**one, "sender": None}}
        for number, one in enumerate(upstreams[1:])
    ]
    made = plan(upstream={**upstreams[0], "sender": None}, routes=routes)
    assert [one["name"] for one in made["oauth"]] == names
    assert all(check_name(name) == name and len(name) < 70 for name in names)


@pytest.mark.parametrize(("days", "words"), [(31, ""), (30, "in 30 days"), (-1, "expired on")])
def test_the_end_of_a_secret_is_told(days: int, words: str) -> None:
    date = datetime.datetime.now(datetime.UTC).date() + datetime.timedelta(days=days)
    (one,) = plan(upstream={**M365, "oauth": {**APP, "expires": date}})["oauth"]
    assert re.match(f"the secret .*{words}", one["ends"]) if words else one["ends"] == ""


@pytest.mark.parametrize(("days", "words"), [(40, ""), (20, "in 20 days")])
def test_the_end_of_a_certificate_is_told(days: int, words: str) -> None:
    end = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=days, hours=1)
    leaf = trustme.CA().issue_cert("app.test", not_after=end, key_type=trustme.KeyType.RSA)
    oauth = {
        "tenant": "a.test",
        "client_id": "app",
        "certificate": leaf.cert_chain_pems[0].bytes().decode(),
        "private_key": leaf.private_key_pem.bytes().decode(),
    }
    (one,) = plan(upstream={**M365, "oauth": oauth})["oauth"]
    assert re.match(f"the certificate .*{words}", one["ends"]) if words else one["ends"] == ""

# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The option ``oauth`` of an upstream: what is refused, each by a sentence that shows no secret."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.mailops.smtp.tests.unit.support.relay_plans import plan, problems_of

APP: dict[str, t.Any] = {"tenant": "a.test", "client_id": "app", "client_secret": "hidden-secret"}
M365: dict[str, t.Any] = {"provider": "microsoft365", "username": "relay@a.test", "oauth": APP}
CERTIFICATE = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"

#: Changes of the upstream, and words of the problem.
REFUSED: list[tuple[dict[str, t.Any], str]] = [
    ({"password": "hidden-secret"}, "relay_upstream.password: is set, and so is oauth; expected one of them"),
    ({"username": None}, "relay_upstream.username: is missing; expected the mailbox"),
    ({"username": "a b"}, "relay_upstream.username: contains white space"),
    ({"fallbacks": [{"host": "b.test"}]}, "relay_upstream.fallbacks: are set, and a token is for one server"),
    ({"pinned_certificates": ["ab" * 32]}, "relay_upstream.pinned_certificates: are set; expected none with oauth"),
    ({"mechanisms": ["PLAIN"]}, "relay_upstream.mechanisms: are set; expected none with oauth"),
    ({"validate_certs": False}, "relay_upstream.validate_certs: is false; expected true"),
    ({"tls": "none"}, "could send the token in cleartext"),
    ({"provider": "ses", "region": "eu-west-1"}, "relay_upstream.oauth: ses has no OAuth2"),
    ({"provider": None, "host": "smtp.p.test"}, "relay_upstream.oauth: has neither provider nor token_url"),
    ({"oauth": {**APP, "client_secret": None}}, "relay_upstream.oauth: "),
    ({"oauth": {**APP, "client_id": None}}, "relay_upstream.oauth: "),
    ({"oauth": {**APP, "tenant": None}}, "relay_upstream.oauth: "),
    ({"oauth": {**APP, "grant": "refresh_token"}}, "relay_upstream.oauth: "),
    ({"oauth": {**APP, "token_url": "http://p.test/token"}}, "relay_upstream.oauth: "),
    ({"oauth": {**APP, "certificate": CERTIFICATE, "private_key": "/key.pem"}}, "relay_upstream.oauth: "),
    ({"oauth": {**APP, "expires": "soon"}}, "relay_upstream.oauth.expires: 'soon' is not a date"),
]


@pytest.mark.parametrize(("changes", "words"), REFUSED)
def test_what_cannot_log_in_is_refused_before_the_host_is_touched(changes: dict[str, t.Any], words: str) -> None:
    problems = problems_of(upstream={**M365, **changes})
    assert any(words in problem for problem in problems), problems
    assert "hidden-secret" not in str(problems)


@pytest.mark.parametrize(
    ("changes", "connections"), [({}, "3"), ({"connections": 2}, "2"), ({"provider": "gmail", "oauth": None}, None)]
)
def test_connections_are_those_of_the_provider(changes: dict[str, t.Any], connections: str | None) -> None:
    password = {"password": "p"} if changes.get("provider") else {}
    made = plan(upstream={**M365, **changes, **password})
    transport = made["main"]["default_transport"].partition(":")[0]
    assert made["main"].get(f"{transport}_destination_concurrency_limit") == connections

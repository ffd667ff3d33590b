# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The option ``oauth`` of an upstream: what is refused, each by a sentence that shows no secret."""

from __future__ import annotations

import datetime
import json
import typing as t

import pytest
import trustme

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
    ({"oauth": {**APP, "expires": "2027-11-30, noon"}}, "relay_upstream.oauth.expires: '2027-11-30, noon' is not"),
    ({"oauth": {**APP, "expires": "31.12.2027"}}, "relay_upstream.oauth.expires: '31.12.2027' is not a date"),
    ({"oauth": {**APP, "tenant": 5}, "validate_certs": "n"}, "relay_upstream.validate_certs: is false"),
    ({"oauth": {**APP, "tenant": "a b"}}, "relay_upstream.oauth: tenant is 'a b'; expected an ID or a domain"),
    ({"oauth": {**APP, "tenant": "https://a.test/"}}, "relay_upstream.oauth: tenant is 'https://a.test/'; expected"),
    ({"oauth": {**APP, "tenant": "common"}}, "tenant is 'common', which is for users; expected the ID or the domain"),
    ({"oauth": {**APP, "client_secret": "hidden-secret\n"}}, "relay_upstream.oauth: client_secret begins or ends with"),
    ({"oauth": {**APP, "client_secret": "hidden-\nsecret"}}, "or contains a line break"),
    ({"oauth": {**APP, "client_id": " app"}}, "relay_upstream.oauth: client_id begins or ends with white space"),
    ({"oauth": {**APP, "provider": "google", "token_url": "https://p.test/"}}, "has both provider and token_url"),
    ({"oauth": {**APP, "scope": "a\tb"}}, "relay_upstream.oauth: scope begins or ends"),
    (
        {"oauth": {**APP, "grant": "client_credentials", "refresh_token": "hidden-secret"}},
        "relay_upstream.oauth: refresh_token does not fit grant client_credentials; remove one of them",
    ),
]


@pytest.mark.parametrize(("changes", "words"), REFUSED)
def test_what_cannot_log_in_is_refused_before_the_host_is_touched(changes: dict[str, t.Any], words: str) -> None:
    problems = problems_of(upstream={**M365, **changes})
    assert any(words in problem for problem in problems), problems
    assert "hidden-secret" not in str(problems)


def test_a_certificate_that_has_expired_is_refused() -> None:
    end = datetime.datetime(2021, 1, 1, tzinfo=datetime.UTC)
    begin = end - datetime.timedelta(days=30)
    leaf = trustme.CA().issue_cert("app.test", not_before=begin, not_after=end, key_type=trustme.KeyType.RSA)
    oauth = {
        "tenant": "a.test",
        "client_id": "app",
        "certificate": leaf.cert_chain_pems[0].bytes().decode(),
        "private_key": leaf.private_key_pem.bytes().decode(),
    }
    words = "relay_upstream.oauth: certificate expired on 2021-01-01; register a new one at the provider, and set it"
    assert [words in one for one in problems_of(upstream={**M365, "oauth": oauth})] == [True]


#: What YAML makes of a value -> what the request has.
VALUES: list[tuple[str, t.Any, t.Any]] = [
    ("client_secret", 12345678, "12345678"),
    ("client_secret", "p%s$x\\\"'{{ no }} ü", "p%s$x\\\"'{{ no }} ü"),
    ("client_id", 7, "7"),
    ("tenant", 12345, "12345"),
    ("refresh_token", 1234, "1234"),
]


@pytest.mark.parametrize(("name", "given", "written"), VALUES)
def test_a_value_is_text_whatever_it_looks_like(name: str, given: t.Any, written: str) -> None:
    made = plan(upstream={**M365, "oauth": {**APP, name: given}})
    (request,) = (one for one in made["secret_files"] if one["path"].endswith(".request"))
    assert json.loads(request["secret"])["oauth"][name] == written


@pytest.mark.parametrize(
    ("changes", "connections"), [({}, "3"), ({"connections": 2}, "2"), ({"provider": "gmail", "oauth": None}, None)]
)
def test_connections_are_those_of_the_provider(changes: dict[str, t.Any], connections: str | None) -> None:
    password = {"password": "p"} if changes.get("provider") else {}
    made = plan(upstream={**M365, **changes, **password})
    transport = made["main"]["default_transport"].partition(":")[0]
    assert made["main"].get(f"{transport}_destination_concurrency_limit") == connections

# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Upstreams, routes and domains: defaults of a provider, and what is refused."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.mailops.smtp.tests.unit.support.relay_plans import (
    MX,
    plan,
    problems_of,
    table,
)


def test_fallbacks_are_next_hops_with_logins_of_their_own() -> None:
    fallbacks = [{"host": "b.test", "username": "x", "password": "2"}, {"host": "c.test", "port": 2525}]
    made = plan(upstream={"host": "a.test", "username": "x", "password": "1", "fallbacks": fallbacks})
    assert made["main"]["default_transport"] == "to-a-test-587:[a.test]:587,[b.test]:587,[c.test]:2525"
    assert table(made, "relay_login_to-a-test-587") == ["[a.test]:587 x:1", "[b.test]:587 x:2"]
    assert made["upstream_hosts"] == ["a.test", "b.test", "c.test"]


@pytest.mark.parametrize(
    ("provider", "wanted"),
    [
        ({"provider": "microsoft365"}, {"_destination_rate_delay": "2s"}),  # 30 messages a minute
        ({"provider": "microsoft365", "delay": 0}, {"_destination_rate_delay": "0s"}),
        ({"provider": "ses", "region": "eu-west-1"}, {"_destination_recipient_limit": "50"}),
    ],
)
def test_limits_of_the_provider_are_kept(provider: dict[str, t.Any], wanted: dict[str, str]) -> None:
    made = plan(upstream={**provider, "username": "u", "password": "p"})
    transport = made["main"]["default_transport"].partition(":")[0]
    assert {name: made["main"].get(f"{transport}{name}") for name in wanted} == wanted


def test_an_upstream_may_have_an_international_name() -> None:
    assert plan(upstream={"host": "smtp.Bücher.test"})["upstream_hosts"] == ["smtp.xn--bcher-kva.test"]


PIN = "ab" * 32
KNOWN = {"relays": {"hub": {"hostname": "hub.a.test", "certificate": PIN}}}
#: An upstream that names a relay of the inventory, the next hop, and options of its transport.
RELAYS: list[tuple[dict[str, t.Any], str, dict[str, str]]] = [
    (
        {"relay": "hub"},
        "to-hub-a-test-25:[hub.a.test]:25",
        {"smtp_tls_security_level": "fingerprint", "smtp_tls_fingerprint_cert_match": ":".join(["AB"] * 32)},
    ),
    (
        {"relay": "hub", "username": "u", "password": "p"},
        "to-hub-a-test-587:[hub.a.test]:587",
        {"smtp_tls_security_level": "fingerprint", "smtp_sasl_auth_enable": "yes"},
    ),
    (
        {"relay": "hub", "host": "192.0.2.7", "port": 2525},
        "to-192-0-2-7-2525:[192.0.2.7]:2525",
        {"smtp_tls_security_level": "fingerprint"},
    ),
    (
        {"relay": "hub", "pinned_certificates": ["cd" * 32]},
        "to-hub-a-test-25:[hub.a.test]:25",
        {"smtp_tls_fingerprint_cert_match": ":".join(["CD"] * 32)},
    ),
    # before it is asked, and if it has no certificate yet: never a lower security
    ({"relay": "new.a.test"}, "to-new-a-test-25:[new.a.test]:25", {"smtp_tls_security_level": "secure"}),
]


@pytest.mark.parametrize(("upstream", "route", "options"), RELAYS)
def test_a_relay_of_the_inventory_is_an_upstream(
    upstream: dict[str, t.Any], route: str, options: dict[str, str]
) -> None:
    made = plan(upstream=upstream, **KNOWN)
    assert made["main"]["default_transport"] == route
    own = next(one for one in made["services"] if one["line"].startswith(route.partition(":")[0] + " "))["options"]
    assert {name: own[name] for name in options} == options


def test_routes_and_domains_may_name_a_relay() -> None:
    made = plan(
        upstream={"relay": "hub"},
        routes=[{"recipients": ["b.test"], "upstream": {"relay": "hub", "port": 2525}}],
        **KNOWN,
    )
    assert "to-hub-a-test-2525:[hub.a.test]:2525" in str(made["tables"])


BAD_UPSTREAMS = [
    ({"upstream": {"relay": "hub", "provider": "gmail"}}, "has both relay and provider; expected one of them"),
    ({"upstream": {"host": "x"}}, "relay_upstream.host: 'x' is not a fully qualified name"),
    ({"upstream": {"host": "a.test", "port": 70000}}, "relay_upstream.port: 70000"),
    ({"upstream": {"host": "a.test", "username": "u"}}, "has only one of username and password; expected both"),
    (
        {"upstream": {"host": "a.test", "username": "u", "password": "p", "tls": "none"}},
        "could send the password in cleartext",
    ),
    (
        {"upstream": {"host": "a.test", "username": "u", "password": "p\nx"}},
        "relay_upstream.password: contains a line break",
    ),
    (
        {"upstream": {"host": "a.test", "username": "u", "password": "from a file\n"}},
        "relay_upstream.password: begins or ends with white space, which Postfix drops",
    ),
    (
        {"upstream": {"host": "a.test", "username": "u", "password": "p "}},
        "relay_upstream.password: begins or ends with",
    ),
    ({"upstream": {"host": "a.test", "username": "u:v", "password": "p"}}, "relay_upstream.username: contains a colon"),
    (
        {"upstream": {"host": "a.test:587"}},
        "'a.test:587' is not a fully qualified name; expected one such as smtp.example.com,",
    ),
    ({"upstream": {"host": "[a.test]"}}, "without port or brackets"),
    ({"upstream": {"port": 25}}, "relay_upstream: has neither host nor provider"),
    ({"upstream": {"provider": "gmial"}}, "did you mean gmail?"),
    ({"upstream": {"provider": "ses"}}, "set region to one of"),
    (
        {"upstream": {"host": "a.test", "username": "u", "password": "p", "tls": "opportunistic"}},
        "password in cleartext",
    ),
    ({"upstream": {"host": "192.0.2.1"}}, "certificates carry names"),
    ({"upstream": {"host": "a.test", "fallbacks": [{"host": "b"}]}}, "relay_upstream.fallbacks[0].host: "),
    (
        {"upstream": {"host": "a.test", "mechanisms": ["PLAN"]}},
        "'PLAN' is not a known SASL mechanism; expected one of PLAIN,",
    ),
    ({"upstream": {"host": "a.test", "port": 465, "tls": "starttls"}}, "relay_upstream.tls: port 465 uses TLS from"),
    ({"upstream": {"host": "a.test", "pinned_certificates": ["ab:cd"]}}, "is not a SHA-256 digest"),
    (
        {"upstream": {"host": "a.test", "ca_file": "own.pem"}},
        "relay_upstream.ca_file: 'own.pem' is not an absolute path",
    ),
    (
        {"upstream": {"host": "a.test", "connections": 0}},
        "relay_upstream.connections: 0 is not valid; expected a whole number from 1 to",
    ),
    ({"upstream": {"host": "a.test", "recipients": 1, "delay": 2}}, "applies connections and delay to each recipient"),
    (
        {"upstream": {"host": "a.test", "port": 465, "fallbacks": [{"host": "b.test", "port": 587}]}},
        "port 587 of b.test does not match tls: implicit",
    ),
    (
        {"upstream": {"host": "a.test", "fallbacks": [{"host": "b.test", "port": 465}]}},
        "port 465 of b.test does not match tls: starttls",
    ),
    (
        {"upstream": {"host": "a.test", "fallbacks": [{"host": "A.test", "username": "u", "password": "p"}]}},
        "relay_upstream.fallbacks: [a.test]:587 is listed more than once",
    ),
]


@pytest.mark.parametrize(("changes", "words"), BAD_UPSTREAMS)
def test_invalid_upstream_is_refused_with_a_reason(changes: dict[str, t.Any], words: str) -> None:
    problems = problems_of(**changes)
    assert any(words in problem for problem in problems), problems


BAD_ROUTES = [
    (
        {"routes": [{"recipients": ["b.test"]}]},
        "relay_routes[0]: has neither or both of upstream and direct; expected an upstream, or direct",
    ),
    ({"routes": [{"direct": True}]}, "relay_routes[0]: has neither or both of recipients and senders"),
    (
        {"routes": [{"senders": ["b.test"], "direct": True}]},
        "'b.test' is not a valid address; expected deploy@example.com",
    ),
    ({"routes": [{"recipients": ["b"], "direct": True}]}, "'b' is not a valid domain"),
    ({"domains": [{"name": "b.test", "recipients": ["x@c.test"]}]}, "x@c.test is in another domain"),
    (
        {**MX, "domains": [{"name": "b.test", "recipients": []}]},
        "relay_domains[0] (b.test).recipients: the list is empty",
    ),
]


@pytest.mark.parametrize(("changes", "words"), BAD_ROUTES)
def test_invalid_route_or_domain_is_refused_with_a_reason(changes: dict[str, t.Any], words: str) -> None:
    problems = problems_of(**changes)
    assert any(words in problem for problem in problems), problems


@pytest.mark.parametrize(
    ("place", "variables"),
    [
        ("relay_upstream", {"upstream": {"host": "smtp.p.test", "mechanisms": ["XOAUTH2"]}}),
        ("relay_upstream", {"upstream": {"host": "smtp.p.test", "mechanisms": ["PLAIN", "oauthbearer"]}}),
        (
            "relay_routes[0].upstream",
            {"routes": [{"recipients": ["b.test"], "upstream": {"host": "smtp.p.test", "mechanisms": "GSSAPI"}}]},
        ),
        (
            "relay_domains[0] (b.test).to",
            {
                "listeners": [{"port": 25}],
                "domains": [{"name": "b.test", "to": {"host": "mx.b.test", "mechanisms": ["EXTERNAL"]}}],
            },
        ),
    ],
)
def test_a_mechanism_that_the_host_lacks_is_refused(place: str, variables: dict[str, t.Any]) -> None:
    """Once the host has been asked; before, any known mechanism passes."""
    assert problems_of(**variables) == []
    host = {"version": "3.10.5", "map_types": ["lmdb"], "mechanisms": ["LOGIN", "PLAIN"]}
    (problem,) = problems_of(**variables, postfix=host)
    assert problem.startswith(f"{place}.mechanisms: the SASL library of this host has no ")
    assert "expected one of LOGIN, PLAIN" in problem

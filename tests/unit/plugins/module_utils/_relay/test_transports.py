# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Transports: each upstream's login, TLS and pace apply to it alone."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.mailops.smtp.tests.unit.support.relay_plans import (
    plan,
    service,
    table,
)


def test_each_upstream_has_a_transport_of_its_own() -> None:
    """Login, TLS and pace apply to one server, and main.cf contains no login."""
    made = plan(
        listeners=[{"port": 25}],
        upstream={"provider": "163", "username": "u@163.com", "password": "code"},
        routes=[
            {"senders": ["@news.test"], "upstream": {"host": "a.test", "mechanisms": ["login"], "connections": 2}},
            {"recipients": ["p.test", ".p.test"], "upstream": {"host": "10.0.0.1", "port": 25, "tls": "none"}},
            {"recipients": ["q@x.test"], "direct": True},
        ],
    )
    assert made["main"]["default_transport"] == "to-smtp-163-com-465:[smtp.163.com]:465"
    assert not [name for name in made["main"] if name.startswith("smtp_sasl_password")]
    first = service(made, "to-smtp-163-com-465")
    assert (first["smtp_tls_wrappermode"], first["smtp_tls_security_level"]) == ("yes", "secure")
    assert first["smtp_sasl_password_maps"] == "texthash:/etc/postfix/relay_login_to-smtp-163-com-465"
    second = service(made, "to-a-test-587")
    assert second["smtp_sasl_mechanism_filter"] == "login"
    assert "smtp_sasl_auth_enable" not in second
    assert "smtp_tls_wrappermode" not in second
    assert service(made, "to-10-0-0-1-25")["smtp_tls_security_level"] == "none"
    assert table(made, "relay_sender_transports") == ["@news.test to-a-test-587:[a.test]:587"]
    assert table(made, "relay_transports") == [
        "p.test to-10-0-0-1-25:[10.0.0.1]:25",
        ".p.test to-10-0-0-1-25:[10.0.0.1]:25",
        "q@x.test smtp:",
    ]
    assert made["main"]["to-a-test-587_destination_concurrency_limit"] == "2"


def test_two_accounts_at_one_host_are_two_transports() -> None:
    login = {"host": "a.test", "username": "x", "password": "1"}
    routes = [
        {"senders": ["b@c.test"], "upstream": {**login, "username": "y"}},
        {"senders": ["d@c.test"], "upstream": login},
    ]
    made = plan(upstream=login, routes=routes)
    assert table(made, "relay_sender_transports") == [
        "b@c.test to-a-test-587-2:[a.test]:587",
        "d@c.test to-a-test-587:[a.test]:587",
    ]
    assert table(made, "relay_login_to-a-test-587-2") == ["[a.test]:587 y:1"]


def test_long_host_name_is_shortened_for_the_socket() -> None:
    host = f"{'a' * 60}.{'b' * 60}.test"
    made = plan(upstream={"host": host})
    assert made["main"]["default_transport"] == f"to-{'a' * 60}-587:[{host}]:587"


TRUST = [
    ({}, {"smtp_tls_security_level": "secure", "smtp_tls_secure_cert_match": "nexthop"}),
    ({"validate_certs": "no"}, {"smtp_tls_security_level": "encrypt"}),
    (
        {"pinned_certificates": "ab" * 32},
        {"smtp_tls_security_level": "fingerprint", "smtp_tls_fingerprint_cert_match": ":".join(["AB"] * 32)},
    ),
    ({"ca_file": "/etc/ssl/own.pem"}, {"smtp_tls_security_level": "secure", "smtp_tls_CAfile": "/etc/ssl/own.pem"}),
    ({"tls": "none"}, {"smtp_tls_security_level": "none"}),
    ({"tls": "opportunistic"}, {"smtp_tls_security_level": "may"}),
]


@pytest.mark.parametrize(("changes", "wanted"), TRUST)
def test_tls_options_follow_what_is_trusted(changes: dict[str, t.Any], wanted: dict[str, str]) -> None:
    made = service(plan(upstream={"host": "a.test", **changes}), "to-a-test-587")
    assert {name: made.get(name) for name in wanted} == wanted
    assert ("smtp_tls_servername" in made) == (wanted["smtp_tls_security_level"] not in ("none", "may"))


def test_messages_per_connection() -> None:
    """Postfix counts how often a connection is reused (smtp_connection_reuse_count_limit); 0 means no limit."""
    several, one = (
        service(plan(upstream={"host": "a.test", "messages_per_connection": number}), "to-a-test-587")
        for number in (100, 1)
    )
    assert (several["smtp_connection_reuse_count_limit"], several["smtp_tls_connection_reuse"]) == ("99", "yes")
    assert "smtp_connection_reuse_count_limit" not in one
    assert (one["smtp_connection_cache_on_demand"], one["smtp_tls_connection_reuse"]) == ("no", "no")
    assert one["smtp_connection_cache_destinations"] == ""


def test_address_is_not_sent_as_a_server_name() -> None:
    """RFC 6066 section 3."""
    made = service(plan(upstream={"host": "192.0.2.1", "validate_certs": False}), "to-192-0-2-1-587")
    assert made["smtp_tls_security_level"] == "encrypt"
    assert "smtp_tls_servername" not in made

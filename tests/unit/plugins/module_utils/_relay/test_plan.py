# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan: main.cf, the firewall, and secrets kept apart."""

from __future__ import annotations

import json
import typing as t

import pytest

from ansible_collections.mailops.smtp.plugins.module_utils._relay.plan import make_plan
from ansible_collections.mailops.smtp.plugins.module_utils._relay.scram import scram_sha256, user_salt
from ansible_collections.mailops.smtp.tests.unit.support.relay_plans import (
    LOGINS,
    MX,
    firewall_rules,
    options,
    plan,
    problems_of,
)


def test_null_client_listens_on_loopback_only() -> None:
    made = plan()
    assert made["main"]["inet_interfaces"] == "loopback-only"
    assert made["main"]["default_transport"] == "to-smtp-p-test-587:[smtp.p.test]:587"
    assert "smtpd_tls_chain_files" not in made["main"]
    assert "25 inet n - n - - smtpd" in [one["line"] for one in made["services"]]
    assert firewall_rules(made) == [f"tcp dport {port} reject with tcp reset" for port in (25, 465, 587)]
    assert not made["logins"]


def test_plan_has_secrets_only_on_request() -> None:
    upstream = {"host": "smtp.p.test", "username": "u", "password": "pw-of-upstream"}
    given = options(**{**LOGINS, "upstream": upstream, "users": [{"name": "app", "password": "pw-of-app"}]})
    assert "pw-of" not in json.dumps(make_plan(given))
    files = make_plan(given, secrets=True)["secret_files"]
    assert [one["path"] for one in files] == ["/etc/postfix/relay_login_to-smtp-p-test-587", "/etc/dovecot/relay_users"]
    assert "pw-of-upstream" in files[0]["secret"]


#: A hash that the relay made, such as one copied from its passwd-file; and one from elsewhere, with a salt of its own.
OWN = scram_sha256("x", user_salt("relay.a.test", "b"))
FOREIGN = "{SCRAM-SHA-256}4096,c2FsdA==,c3RvcmVk,c2VydmVy"
CRYPT = "{SHA512-CRYPT}$6$rounds=7000$salt$digest"
HASHES: list[tuple[dict[str, str], bool, str]] = [
    ({"password": "x"}, True, "{SCRAM-SHA-256}15000,%{salt},AAAA"),
    ({"password_hash": OWN}, True, "{SCRAM-SHA-256}15000,%{salt},AAAA"),
    ({"password_hash": FOREIGN}, False, "{SCRAM-SHA-256}4096,AAAAAA==,AAAAAAAA,AAAAAA"),
    ({"password_hash": CRYPT}, False, "{SHA512-CRYPT}$6$rounds=7000$AAAA$AAAAAA"),
    ({"password_hash": "{SCRAM-SHA-1}4096,a,b,c"}, False, "{SCRAM-SHA-1}4096,A,A,A"),
]


@pytest.mark.parametrize(("user", "offered", "decoy"), HASHES)
def test_scram_is_offered_if_a_missing_user_can_look_like_each(user: dict[str, str], offered: bool, decoy: str) -> None:
    """A client uses the strongest mechanism; a hash of another kind would be refused, a salt of its own recognised."""
    made = plan(**{**LOGINS, "users": [{"name": "a", "password": "x"}, {"name": "b", **user}]})
    assert ("scram-sha-256" in made["mechanisms"]) == offered
    assert made["decoy"].startswith(decoy)
    assert made["user_names"] == ["a", "b"]


def test_settings_take_precedence() -> None:
    made = plan(settings={"biff": True, "message_size_limit": 5, "smtpd_milters": ["inet:a", "inet:b"]})
    assert made["main"]["biff"] == "yes"
    assert made["main"]["message_size_limit"] == "5"
    assert made["main"]["smtpd_milters"] == "inet:a, inet:b"


def test_networks_are_written_as_in_postconf() -> None:
    made = plan(listeners=[{"port": 25}], networks=["192.0.2.0/24", "2001:db8::/32"])
    assert made["main"]["mynetworks"] == "127.0.0.0/8 [::1]/128 192.0.2.0/24 [2001:db8::]/32"


def test_certificate_is_self_signed_unless_one_is_given() -> None:
    given = plan(listeners=[{"port": 25}], tls={"certificate": "c.pem", "key": "k.pem"})
    assert (given["main"]["smtpd_tls_chain_files"], given["self_signed"]) == ("/etc/postfix/relay.pem", False)
    own = plan(listeners=[{"port": 25}])
    assert (own["main"]["smtpd_tls_chain_files"], own["self_signed"]) == ("/etc/postfix/self-signed.pem", True)


def test_caches_are_btrees_without_lmdb() -> None:
    made = plan(**MX, domains=[{"name": "a.test"}], postfix={"version": "3.7.11", "map_types": ["btree"]})
    assert made["main"]["address_verify_map"] == "btree:$data_directory/relay/verify_cache"


@pytest.mark.parametrize("folder", ["/var/lib/postfix", "/srv/postfix"])
def test_caches_are_in_a_directory_of_their_own(folder: str) -> None:
    """verify(8) makes its cache readable by all."""
    made = plan(settings={} if folder.startswith("/var") else {"data_directory": folder})
    assert made["cache_directory"] == f"{folder}/relay"


def test_name_of_the_host_can_be_one_of_its_domains() -> None:
    """Then it is a relay domain like the others, and not a virtual alias domain as well."""
    made = plan(**MX, hostname="Relay.A.test", domains=[{"name": "relay.a.test", "to": {"host": "mx.a.test"}}])
    assert made["main"]["virtual_alias_domains"] == ""
    assert made["main"]["myhostname"] == made["main"]["relay_domains"] == "relay.a.test"


BAD_PLANS = [
    ({"listeners": None}, "relay_listeners: has no value"),
]


@pytest.mark.parametrize(("changes", "words"), BAD_PLANS)
def test_variable_without_a_value_is_refused_with_a_reason(changes: dict[str, t.Any], words: str) -> None:
    problems = problems_of(**changes)
    assert any(words in problem for problem in problems), problems

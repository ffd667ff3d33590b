# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role's variables: what they are made into, and what is refused before any host is touched."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import typing as t

import pytest

from ansible_collections.mailops.smtp.plugins.module_utils._relay.plan import make_plan
from ansible_collections.mailops.smtp.plugins.module_utils._relay.scram import scram_sha256, user_salt

LOGINS: dict[str, t.Any] = {
    "listeners": [{"port": 25}, {"port": 465, "from": ["192.0.2.0/24", "2001:db8::/32"]}, {"port": 587}],
    "users": [{"name": "deploy", "password": "pw", "senders": ["deploy@a.test", "@b.test"]}],
    "upstream": {"host": "smtp.p.test", "port": 587, "username": "me@p.test", "password": "secret word"},
}


def options(**changes: t.Any) -> dict[str, t.Any]:
    defaults: dict[str, t.Any] = {
        "hostname": "relay.a.test",
        "domain": "a.test",
        "listeners": [],
        "networks": [],
        "users": [],
        "upstream": {"host": "smtp.p.test"},
        "routes": [],
        "domains": [],
        "aliases": {},
        "rewrites": {},
        "limits": {},
        "tls": {},
        "verify": {},
        "firewall": {},
        "settings": {},
        "services": [],
        "hardening": {"disable_vrfy_command": "yes", "biff": "no"},
        "since": {},
        "ssh_port": 22,
        "heading": "Ansible managed",
        "platform": {"version": "3.10.5", "map_types": ["lmdb"]},
    }
    return {**defaults, **changes}


def plan(**changes: t.Any) -> dict[str, t.Any]:
    made = make_plan(options(**changes), secrets=True)
    assert made["problems"] == []
    return made


def service(made: dict[str, t.Any], name: str) -> dict[str, str]:
    return next(dict(service["options"]) for service in made["services"] if service["line"].split()[0] == name)


def firewall_rules(made: dict[str, t.Any]) -> list[str]:
    """As nftables has them."""
    (text,) = (file["content"] for file in made["firewall_files"]["nftables"] if file["path"].endswith(".nft"))
    return [line.strip() for line in text.splitlines() if "dport" in line]


def table(made: dict[str, t.Any], name: str) -> list[str]:
    """The lines of a table; none where it is not written."""
    found = [one for one in made["tables"] + made["secret_files"] if one["path"] == f"/etc/postfix/{name}"]
    return [line for one in found for line in (one.get("content") or one["secret"]).splitlines()]


def users(made: dict[str, t.Any]) -> str:
    """Dovecot's passwd-file."""
    return next(str(one["secret"]) for one in made["secret_files"] if one["path"] == "/etc/dovecot/relay_users")


def test_null_client() -> None:
    made = plan()
    assert made["main"]["inet_interfaces"] == "loopback-only"
    assert made["main"]["default_transport"] == "to-smtp-p-test-587:[smtp.p.test]:587"
    assert "smtpd_tls_chain_files" not in made["main"]
    assert "25 inet n - n - - smtpd" in [one["line"] for one in made["services"]]
    assert firewall_rules(made) == [f"tcp dport {port} reject with tcp reset" for port in (25, 465, 587)]
    assert not made["logins"]


def test_secrets_are_apart() -> None:
    upstream = {"host": "smtp.p.test", "username": "u", "password": "pw-of-upstream"}
    given = options(**{**LOGINS, "upstream": upstream, "users": [{"name": "app", "password": "pw-of-app"}]})
    assert "pw-of" not in json.dumps(make_plan(given))
    files = make_plan(given, secrets=True)["secret_files"]
    assert [one["path"] for one in files] == ["/etc/postfix/relay_login_to-smtp-p-test-587", "/etc/dovecot/relay_users"]
    assert "pw-of-upstream" in files[0]["secret"]


def test_submission() -> None:
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


HASHES = [
    ([{"name": "a", "password": "x"}], True),
    ([{"name": "a", "password": "x"}, {"name": "b", "password_hash": "{SCRAM-SHA-256}4096,a,b,c"}], True),
    ([{"name": "a", "password": "x"}, {"name": "b", "password_hash": "{SHA512-CRYPT}$6$x$y"}], False),
    ([{"name": "b", "password_hash": "{SCRAM-SHA-1}4096,a,b,c"}], False),
]


@pytest.mark.parametrize(("users", "offered"), HASHES)
def test_scram_is_offered_where_it_works_for_everybody(users: list[dict[str, t.Any]], offered: bool) -> None:
    """A client takes the strongest mechanism, and with a hash of another kind a right password would be refused."""
    assert ("scram-sha-256" in plan(**{**LOGINS, "users": users})["mechanisms"]) == offered


def test_settings_win() -> None:
    made = plan(settings={"biff": True, "message_size_limit": 5, "smtpd_milters": ["inet:a", "inet:b"]})
    assert made["main"]["biff"] == "yes"
    assert made["main"]["message_size_limit"] == "5"
    assert made["main"]["smtpd_milters"] == "inet:a, inet:b"


def test_networks_in_postfix_form() -> None:
    made = plan(listeners=[{"port": 25}], networks=["192.0.2.0/24", "2001:db8::/32"])
    assert made["main"]["mynetworks"] == "127.0.0.0/8 [::1]/128 192.0.2.0/24 [2001:db8::]/32"


def test_values_as_inventories_in_ini_form_give_them() -> None:
    made = plan(
        listeners=[{"port": "587", "login": "no", "from": "192.0.2.1,192.0.2.2"}],
        networks="192.0.2.0/24, 198.51.100.7",
        upstream={"host": "smtp.p.test", "port": "2525"},
    )
    assert made["main"]["mynetworks"].endswith("192.0.2.0/24 198.51.100.7/32")
    assert made["main"]["default_transport"].endswith(":[smtp.p.test]:2525")
    assert "smtpd_sasl_auth_enable" not in service(made, "587")
    assert [line for line in firewall_rules(made) if line.endswith("accept")] == [
        "tcp dport 587 ip saddr 192.0.2.1 accept",
        "tcp dport 587 ip saddr 192.0.2.2 accept",
    ]


def test_numbers_for_text_as_yaml_gives_them() -> None:
    made = plan(
        listeners=[{"port": 587}],
        users=[{"name": 123, "password": 12345678}],
        upstream={"host": "smtp.p.test", "username": "u", "password": 4711},
    )
    assert users(made).startswith("123:{SCRAM-SHA-256}")
    assert table(made, "relay_login_to-smtp-p-test-587") == ["[smtp.p.test]:587 u:4711"]


def test_senders_are_written_as_postfix_sees_them() -> None:
    user = {"name": "a", "password": "x", "senders": [" ops@a.test", "<b@a.test>", "c@MÜNCHEN.de", "@münchen.de"]}
    assert table(plan(users=[user]), "relay_senders") == [
        "ops@a.test a",
        "b@a.test a",
        "c@xn--mnchen-3ya.de a",
        "@xn--mnchen-3ya.de a",
    ]


def test_certificate() -> None:
    given = plan(listeners=[{"port": 25}], tls={"certificate": "c.pem", "key": "k.pem"})
    assert (given["main"]["smtpd_tls_chain_files"], given["self_signed"]) == ("/etc/postfix/relay.pem", False)
    own = plan(listeners=[{"port": 25}])
    assert (own["main"]["smtpd_tls_chain_files"], own["self_signed"]) == ("/etc/postfix/self-signed.pem", True)


def test_each_upstream_is_a_transport_of_its_own() -> None:
    """Login, TLS and pace hold for one server, and no login is in main.cf."""
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


def test_two_accounts_of_one_provider() -> None:
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


def test_a_long_name_still_makes_a_socket() -> None:
    host = f"{'a' * 60}.{'b' * 60}.test"
    made = plan(upstream={"host": host})
    assert made["main"]["default_transport"] == f"to-{'a' * 60}-587:[{host}]:587"


def test_fallbacks() -> None:
    fallbacks = [{"host": "b.test", "username": "x", "password": "2"}, {"host": "c.test", "port": 2525}]
    made = plan(upstream={"host": "a.test", "username": "x", "password": "1", "fallbacks": fallbacks})
    assert made["main"]["default_transport"] == "to-a-test-587:[a.test]:587,[b.test]:587,[c.test]:2525"
    assert table(made, "relay_login_to-a-test-587") == ["[a.test]:587 x:1", "[b.test]:587 x:2"]
    assert made["upstream_hosts"] == ["a.test", "b.test", "c.test"]


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
def test_trust(changes: dict[str, t.Any], wanted: dict[str, str]) -> None:
    made = service(plan(upstream={"host": "a.test", **changes}), "to-a-test-587")
    assert {name: made.get(name) for name in wanted} == wanted
    assert ("smtp_tls_servername" in made) == (wanted["smtp_tls_security_level"] not in ("none", "may"))


def test_messages_of_a_connection() -> None:
    """Postfix counts how often one is used again (smtp_connection_reuse_count_limit), and takes 0 for any number."""
    several, one = (
        service(plan(upstream={"host": "a.test", "messages_per_connection": number}), "to-a-test-587")
        for number in (100, 1)
    )
    assert (several["smtp_connection_reuse_count_limit"], several["smtp_tls_connection_reuse"]) == ("99", "yes")
    assert "smtp_connection_reuse_count_limit" not in one
    assert (one["smtp_connection_cache_on_demand"], one["smtp_tls_connection_reuse"]) == ("no", "no")
    assert one["smtp_connection_cache_destinations"] == ""


def test_no_address_is_told_as_a_name_in_tls() -> None:
    """RFC 6066 section 3."""
    made = service(plan(upstream={"host": "192.0.2.1", "validate_certs": False}), "to-192-0-2-1-587")
    assert made["smtp_tls_security_level"] == "encrypt"
    assert "smtp_tls_servername" not in made


@pytest.mark.parametrize(
    ("provider", "wanted"),
    [
        ({"provider": "microsoft365"}, {"_destination_rate_delay": "2s"}),  # 30 messages a minute
        ({"provider": "microsoft365", "delay": 0}, {"_destination_rate_delay": "0s"}),
        ({"provider": "ses", "region": "eu-west-1"}, {"_destination_recipient_limit": "50"}),
    ],
)
def test_the_limits_of_a_provider_are_kept(provider: dict[str, t.Any], wanted: dict[str, str]) -> None:
    made = plan(upstream={**provider, "username": "u", "password": "p"})
    transport = made["main"]["default_transport"].partition(":")[0]
    assert {name: made["main"].get(f"{transport}{name}") for name in wanted} == wanted


def test_message_size() -> None:
    known_limit = {"provider": "sendgrid", "username": "u", "password": "p"}
    known = plan(upstream=known_limit)["main"]
    assert int(known["message_size_limit"]) < int(known["queue_minfree"]) / 1.5
    assert plan(upstream=known_limit, limits={"message_size": 4096})["main"]["message_size_limit"] == "4096"
    assert plan(settings={"message_size_limit": 10**8})["main"]["queue_minfree"] == str(16 * 10**7)


MX = {"listeners": [{"port": 25}], "upstream": {}}


def test_mx_with_recipients_and_with_probes() -> None:
    """Known recipients are listed; where they are not, the next server is asked; strangers are screened."""
    domains = [
        {"name": "A.test", "to": {"host": "mx.a.test"}, "recipients": ["x", "Y@a.test"]},
        {"name": "b.test", "to": {"host": "mx.a.test"}},
        {"name": "c.test"},
    ]
    made = plan(**MX, domains=domains)
    assert made["main"]["relay_domains"] == "a.test, b.test, c.test"
    assert table(made, "relay_recipients") == ["x@a.test ok", "y@a.test ok", "@b.test ok", "@c.test ok"]
    assert table(made, "relay_probed") == ["b.test reject_unverified_recipient", "c.test reject_unverified_recipient"]
    assert table(made, "relay_transports") == [
        "a.test to-mx-a-test-25:[mx.a.test]:25",
        "b.test to-mx-a-test-25:[mx.a.test]:25",
    ]
    assert service(made, "to-mx-a-test-25")["smtp_tls_security_level"] == "may"
    lines = [one["line"] for one in made["services"]]
    assert "25 inet n - n - 1 postscreen" in lines
    assert "smtpd pass - - n - - smtpd" in lines
    assert made["main"]["postscreen_cache_map"] == "lmdb:$data_directory/postscreen_cache"
    assert made["main"]["smtpd_recipient_restrictions"].split(", ") == [
        "permit_mynetworks",
        "permit_sasl_authenticated",
        "check_recipient_access texthash:/etc/postfix/relay_probed",
    ]


def test_a_domain_with_a_list_has_a_postmaster_all_the_same() -> None:
    """RFC 5321 section 4.5.1."""
    domains = [{"name": "a.test", "recipients": ["x"]}, {"name": "b.test", "recipients": ["postmaster"]}]
    made = plan(**MX, domains=domains, aliases={"root": "ops@c.test"})
    assert "postmaster@a.test ops@c.test" in table(made, "relay_aliases")
    assert not [line for line in table(made, "relay_aliases") if line.startswith("postmaster@b.test")]


def test_an_mx_need_not_screen() -> None:
    made = plan(**{**MX, "listeners": [{"port": 25, "postscreen": False}]}, domains=[{"name": "a.test"}])
    assert "25 inet n - n - - smtpd" in [one["line"] for one in made["services"]]
    assert "postscreen_cache_map" not in made["main"]


def test_without_lmdb_caches_are_btrees() -> None:
    made = plan(**MX, domains=[{"name": "a.test"}], platform={"version": "3.7.11", "map_types": ["btree"]})
    assert made["main"]["address_verify_map"] == "btree:$data_directory/verify_cache"


def test_somebody_reads_the_mail_of_the_host() -> None:
    assert table(plan(), "relay_aliases") == [
        "root postmaster@a.test",
        "postmaster@relay.a.test postmaster@a.test",
        "root@relay.a.test postmaster@a.test",
    ]
    made = plan(aliases={"root": ["ops@b.test"], "Abuse": "root, legal@b.test"})
    assert table(made, "relay_aliases") == [
        "root ops@b.test",
        "abuse root, legal@b.test",
        "postmaster@relay.a.test ops@b.test",
        "root@relay.a.test ops@b.test",
        "abuse@relay.a.test root, legal@b.test",
    ]
    assert made["main"]["virtual_alias_domains"] == "$myhostname"


ALIASES = [
    {"root": "root@a.test"},  # to himself
    {"postmaster": "root", "root": ["root", "ops@b.test"]},
    {"a": ["b", "c"], "b": "d", "c": "d", "d": "ops@b.test"},
]


@pytest.mark.parametrize("aliases", ALIASES)
def test_aliases_that_only_look_like_a_circle(aliases: dict[str, t.Any]) -> None:
    assert table(plan(aliases=aliases), "relay_aliases")


def test_an_address_wins_over_a_name_of_the_host() -> None:
    """A key that stands in a table twice would be refused by the canary."""
    made = plan(aliases={"abuse": "a@b.test"}, rewrites={"virtual": {"abuse@relay.a.test": "c@b.test"}})
    assert [line for line in table(made, "relay_aliases") if line.startswith("abuse@")] == [
        "abuse@relay.a.test c@b.test"
    ]


def test_mail_for_the_name_of_the_host_itself() -> None:
    """It is a domain like others then, and no key of the alias table makes one (virtual_alias_domains)."""
    made = plan(**MX, hostname="Relay.A.test", domains=[{"name": "relay.a.test", "to": {"host": "mx.a.test"}}])
    assert made["main"]["virtual_alias_domains"] == ""
    assert made["main"]["myhostname"] == made["main"]["relay_domains"] == "relay.a.test"


def test_rewrites() -> None:
    rewrites = {
        "generic": {"root@host.local.test": "ops@a.test"},
        "canonical": {"@old.test": "@a.test"},
        "virtual": {"sales@a.test": ["x@b.test", "y@b.test"]},
        "masquerade": ["a.test"],
        "header_checks": [{"match": "^X-Path: a/b\\/c", "action": "IGNORE"}],
    }
    made = plan(rewrites=rewrites)
    assert made["main"]["smtp_generic_maps"] == "texthash:/etc/postfix/relay_generic"
    assert made["main"]["header_checks"] == "regexp:/etc/postfix/relay_header_checks"
    assert made["main"]["masquerade_domains"] == "a.test"
    assert table(made, "relay_generic") == ["root@host.local.test ops@a.test"]
    assert table(made, "relay_canonical") == ["@old.test @a.test"]
    assert table(made, "relay_aliases")[-1] == "sales@a.test x@b.test, y@b.test"
    assert table(made, "relay_header_checks") == ["%^X-Path: a/b\\/c% IGNORE"]


def test_a_login_needs_no_plain_port_25() -> None:
    """Programs of the host itself come in by loopback all the same."""
    lines = [one["line"] for one in plan(**{**LOGINS, "listeners": [{"port": 587}]})["services"]]
    assert "127.0.0.1:25 inet n - n - - smtpd" in lines


def test_own_services_win() -> None:
    own = {"name": "127.0.0.1:10025", "type": "inet", "command": "smtpd", "options": {"smtpd_milters": None}}
    made = plan(services=[own, {"name": "smtp", "command": "smtp -v", "processes": 5}])
    lines = [one["line"] for one in made["services"]]
    assert "127.0.0.1:10025 inet n - n - - smtpd" in lines
    assert [line for line in lines if line.startswith("smtp unix")] == ["smtp unix - - n - 5 smtp -v"]
    assert service(made, "127.0.0.1:10025") == {"smtpd_milters": ""}


VERSIONS = [
    ("3.5.25", "2", "!SSLv2, !SSLv3, !TLSv1, !TLSv1.1", True, False),
    ("3.7.5", "3.6", ">=TLSv1.2", False, False),
    ("3.7.11", "3.6", ">=TLSv1.2", True, False),
    ("3.8.5", "3.6", ">=TLSv1.2", True, False),
    ("3.10.13", "3.9", ">=TLSv1.2", True, True),
    ("3.12-20260821", "3.9", ">=TLSv1.2", True, True),
]


@pytest.mark.parametrize(("version", "level", "protocols", "newline", "hide"), VERSIONS)
def test_syntax_follows_the_version(version: str, level: str, protocols: str, newline: bool, hide: bool) -> None:
    made = plan(
        **LOGINS,
        hardening={"smtpd_forbid_bare_newline": "normalize", "smtpd_tls_protocols": ">=TLSv1.2"},
        since={
            "smtpd_forbid_bare_newline": ["3.5.24", "3.6.14", "3.7.10", "3.8.5", "3.9"],
            "smtpd_hide_client_session": ["3.10"],
        },
        platform={"version": version, "map_types": ["lmdb"]},
    )
    assert made["main"]["compatibility_level"] == level
    assert made["main"]["smtpd_tls_protocols"] == protocols
    assert ("smtpd_forbid_bare_newline" in made["main"]) == newline
    assert ("smtpd_hide_client_session" in service(made, "587")) == hide


BAD = [
    ({"hostname": "relay"}, "relay_hostname: 'relay' is no fully qualified name"),
    ({"domain": "a b.test"}, "relay_domain: "),
    ({"networks": ["0.0.0.0/0"]}, "relay_networks: 0.0.0.0/0 would let strangers"),
    ({"networks": ["::/0"]}, "relay_networks: ::/0 would let strangers"),
    ({"networks": ["10.0.0.0/7"]}, "none wider than /8"),
    ({"networks": ["192.0.2.1/24"]}, "relay_networks: 192.0.2.1/24 has host bits set"),
    ({"networks": ["fe80::%x]\nrelay_domains = static:all\nmail_name = [/64"]}, "relay_networks: "),
    ({"listeners": [{"port": 25, "from": ["192.0.2.1"]}], "firewall": {"backend": "none"}}, "from needs a firewall"),
    ({"settings": {"smtpd_milters": ["a", "b\nrelay_domains = x"]}}, "relay_settings.smtpd_milters: "),
    ({"networks": ["lan"]}, "expected an address or a network"),
    ({"listeners": [{"port": 25}, {"port": 2222}], "ssh_port": 2222}, "port 2222 is where Ansible reaches the host"),
    ({"listeners": [{"port": 0}]}, "relay_listeners[0].port: 0 is out of bounds"),
    ({"listeners": [{"port": 25}, {"port": 25}]}, "port 25 is listed more than once"),
    ({"listeners": [{"port": 587, "tls": "none"}]}, "could travel in clear"),
    ({"listeners": [{"port": 25, "from": ["x"]}]}, "relay_listeners[0].from: "),
    ({"listeners": [{"port": 587}]}, "relay_users: a listener demands a login"),
    ({"users": [{"name": "a"}]}, "relay_users[0] (a): expected either password or password_hash"),
    ({"users": [{"name": "a", "password": ""}]}, "expected either password or password_hash"),
    ({"users": [{"name": "a", "password": "x", "password_hash": "{X}y"}]}, "expected either"),
    ({"users": [{"name": "a", "password_hash": "plain"}]}, "no scheme fit for passwords"),
    ({"users": [{"name": "a:b", "password": "x"}]}, "expected a name of small letters"),
    ({"users": [{"name": "a", "password": "x"}, {"name": "a", "password": "y"}]}, "a is listed more than once"),
    ({"users": [{"name": "a", "password": "x", "senders": ["b"]}]}, "'b' is no address"),
    ({"upstream": {"host": "x"}}, "relay_upstream.host: 'x' is no fully qualified name"),
    ({"upstream": {"host": "a.test", "port": 70000}}, "relay_upstream.port: 70000"),
    ({"upstream": {"host": "a.test", "username": "u"}}, "username and password together"),
    (
        {"upstream": {"host": "a.test", "username": "u", "password": "p", "tls": "none"}},
        "would send the password in clear",
    ),
    (
        {"upstream": {"host": "a.test", "username": "u", "password": "p\nx"}},
        "relay_upstream.password: holds a line break",
    ),
    (
        {"upstream": {"host": "a.test", "username": "u", "password": "from a file\n"}},
        "relay_upstream.password: begins or ends with a blank or a line break",
    ),
    ({"upstream": {"host": "a.test", "username": "u", "password": "p "}}, "relay_upstream.password: begins or ends"),
    ({"upstream": {"host": "a.test", "username": "u:v", "password": "p"}}, "relay_upstream.username: holds a colon"),
    (
        {"upstream": {"host": "a.test:587"}},
        "'a.test:587' is no fully qualified name; expected one like smtp.example.com,",
    ),
    ({"upstream": {"host": "[a.test]"}}, "without port or brackets"),
    ({"upstream": {}}, "relay_upstream: a host without listeners"),
    ({"tls": {"key": "k"}}, "relay_tls: expected certificate and key together"),
    ({"settings": {"a b": "c"}}, "relay_settings.a b: "),
    ({"settings": {"biff": "no\nsmtpd_x = y"}}, "relay_settings.biff: "),
    ({"hostname": "192.0.2.10"}, "relay_hostname: '192.0.2.10' is no fully qualified name"),
    ({"listeners": [{"port": 25, "from": []}]}, "relay_listeners[0].from: an empty list lets nobody connect"),
    ({"users": [{"name": "App", "password": "x"}]}, "expected a name of small letters"),
    ({"users": [{"name": "a", "password_hash": "{PLAIN}x"}]}, "no scheme fit for passwords"),
    ({"users": [{"name": "a", "password": "x", "senders": ["#x@a.test"]}]}, "'#x@a.test' is no address"),
    (
        {"listeners": [{"port": 25, "tls": "starttls"}], "verify": {"to": "a@b.test"}},
        "relay_verify: the message goes in",
    ),
    ({"verify": {"to": "nobody at all"}}, "relay_verify.to: "),
    ({"upstream": {"port": 25}}, "relay_upstream: expected a host, or a provider"),
    ({"upstream": {"provider": "gmial"}}, "did you mean gmail?"),
    ({"upstream": {"provider": "ses"}}, "say which with region"),
    ({"upstream": {"host": "a.test", "username": "u", "password": "p", "tls": "opportunistic"}}, "password in clear"),
    ({"upstream": {"host": "192.0.2.1"}}, "certificates carry names"),
    ({"upstream": {"host": "a.test", "fallbacks": [{"host": "b"}]}}, "relay_upstream.fallbacks[0].host: "),
    ({"upstream": {"host": "a.test", "mechanisms": ["PLAN"]}}, "'PLAN' is no SASL mechanism; expected one of PLAIN,"),
    ({"upstream": {"host": "a.test", "port": 465, "tls": "starttls"}}, "relay_upstream.tls: port 465 speaks TLS from"),
    ({"upstream": {"host": "a.test", "pinned_certificates": ["ab:cd"]}}, "is no SHA-256 fingerprint"),
    ({"upstream": {"host": "a.test", "ca_file": "own.pem"}}, "relay_upstream.ca_file: 'own.pem' is no absolute path"),
    ({"upstream": {"host": "a.test", "connections": 0}}, "relay_upstream.connections: 0 is out of bounds"),
    ({"routes": [{"recipients": ["b.test"]}]}, "relay_routes[0]: expected either an upstream, or direct"),
    ({"routes": [{"direct": True}]}, "relay_routes[0]: expected either recipients or senders"),
    ({"routes": [{"senders": ["b.test"], "direct": True}]}, "'b.test' is no address; expected deploy@example.com"),
    ({"routes": [{"recipients": ["b"], "direct": True}]}, "'b' is no domain"),
    (
        {"routes": [{"recipients": ["b.test", "B.test"], "direct": True}]},
        "relay_routes: b.test is listed more than once",
    ),
    ({"networks": ["192.0.2.0/24"], "listeners": []}, "relay_networks: every listener demands a login"),
    ({"rewrites": {"header_checks": [{"match": "/%,;", "action": "IGNORE"}]}}, "expected a pattern without one of"),
    ({"domains": [{"name": "b.test"}]}, "relay_domains: other mail servers come to port 25"),
    ({"domains": [{"name": "b.test", "recipients": ["x@c.test"]}]}, "x@c.test is of another domain"),
    ({"listeners": [{"port": 587, "postscreen": True}]}, "is for mail servers that come from the Internet"),
    ({"aliases": {"a@b.test": "c@d.test"}}, "relay_aliases.a@b.test: is an address"),
    ({"aliases": {"root": []}}, "relay_aliases.root: has nobody to go to"),
    (
        {"aliases": {"postmaster": "root"}},
        "relay_aliases: root@a.test -> postmaster@a.test -> root@a.test goes round in a circle",
    ),
    (
        {"aliases": {"a": ["x@b.test", "b"], "b": "c@relay.a.test", "c": "a"}},
        "a@a.test -> b@a.test -> c@relay.a.test -> a@a.test goes round",
    ),
    (
        {"rewrites": {"virtual": {"@b.test": "x@c.test", "@c.test": "y@b.test"}}},
        "x@c.test -> y@b.test -> x@c.test goes round",
    ),
    ({"aliases": {"root": None}}, "relay_aliases.root: has nobody to go to"),
    ({"listeners": None}, "relay_listeners: has no value"),
    ({"upstream": {"host": "a.test", "recipients": 1, "delay": 2}}, "counts connections and delay for each recipient"),
    (
        {"upstream": {"host": "a.test", "port": 465, "fallbacks": [{"host": "b.test", "port": 587}]}},
        "port 587 of b.test speaks TLS otherwise than tls: implicit",
    ),
    (
        {"upstream": {"host": "a.test", "fallbacks": [{"host": "b.test", "port": 465}]}},
        "port 465 of b.test speaks TLS otherwise than tls: starttls",
    ),
    (
        {"upstream": {"host": "a.test", "fallbacks": [{"host": "A.test", "username": "u", "password": "p"}]}},
        "relay_upstream.fallbacks: [a.test]:587 is listed more than once",
    ),
    (
        {**MX, "domains": [{"name": "b.test", "recipients": []}]},
        "relay_domains[0] (b.test).recipients: nobody is listed",
    ),
    ({"limits": {"delay_warning": 3600}}, "relay_limits.delay_warning: 3600 is no time"),
    ({"aliases": {"root": "ops@b.test\nx y"}}, "relay_aliases.root: "),
    ({"rewrites": {"generic": {"a": "b@c.test"}}}, "relay_rewrites.generic: 'a' is no address"),
    ({"aliases": {"Backup": "a@dest.test", "backup": "b@dest.test"}}, "relay_aliases: backup is listed more than once"),
    ({"rewrites": {"generic": {"@A.test": "x@b.test", "@a.test": "y@b.test"}}}, "generic: @a.test is listed more than"),
    ({"rewrites": {"header_checks": [{"match": "^X", "action": "drop it"}]}}, "'drop it' is none"),
    ({"rewrites": {"header_checks": [{"match": "^X", "action": "DELETE"}]}}, "'DELETE' is none; expected one of BCC,"),
    ({"rewrites": {"header_checks": [{"match": "/^X-/", "action": "IGNORE"}]}}, "expected it without the delimiters"),
    ({"rewrites": {"header_checks": [{"match": "^X\nif", "action": "IGNORE"}]}}, "is empty or no single line"),
    ({"limits": {"message_size": "big"}}, "relay_limits.message_size: 'big' is out of bounds"),
    ({"limits": {"queue_lifetime": "2 days"}}, "relay_limits.queue_lifetime: '2 days' is no time"),
    ({"services": [{"name": "a b", "command": "smtpd"}]}, "relay_services[0] (a b): expected a name"),
    ({"services": [{"name": "a", "command": "smtpd", "options": {"x": "1\n2"}}]}, "options.x: expected a Postfix"),
    ({"services": [{"name": "a", "command": "smtpd", "options": {"x": "a } {"}}]}, "options.x: has braces"),
    ({"services": [{"name": "a", "command": "smtpd", "options": {"x": "inline:{ {a = b}"}}]}, "options.x: has braces"),
    ({"services": [{"name": "a", "command": "pipe\nb unix"}]}, "relay_services[0] (a).command: "),
    ({"services": [{"name": "a", "command": None}]}, "relay_services[0] (a).command: "),
]


@pytest.mark.parametrize(("changes", "words"), BAD)
def test_bad_input_is_told_in_a_sentence(changes: dict[str, t.Any], words: str) -> None:
    problems = make_plan(options(**changes))["problems"]
    assert any(words in problem for problem in problems), problems


def test_a_bad_name_of_the_host_is_one_problem() -> None:
    """Without relay_domain, it is made of the name."""
    assert len(make_plan(options(hostname="relay", domain="relay"))["problems"]) == 1
    assert len(make_plan(options(hostname="relay.bücher.test", domain="bücher.test"))["problems"]) == 1
    assert len(make_plan(options(hostname="relay", domain="a b.test"))["problems"]) == 2


def test_an_upstream_may_have_an_international_name() -> None:
    assert plan(upstream={"host": "smtp.Bücher.test"})["upstream_hosts"] == ["smtp.xn--bcher-kva.test"]


def test_all_problems_at_once_and_no_secret_among_them() -> None:
    users = [{"name": "a b", "password": "hunter2"}, {"name": "c", "password": "hunter2", "password_hash": "hunter2"}]
    problems = make_plan(options(hostname="x", networks=["0.0.0.0/0"], users=users))["problems"]
    assert len(problems) >= 4
    assert "hunter2" not in " ".join(problems)


def test_scram_against_rfc_7677() -> None:
    """The example of RFC 7677 section 3: the stored key verifies its client proof, the server key its signature."""
    salt = base64.b64decode("W22ZaJ0SNY7soEsUEjb6gQ==")
    iterations, stored_salt, stored_key, server_key = scram_sha256("pencil", salt, 4096)[
        len("{SCRAM-SHA-256}") :
    ].split(",")
    nonce = "rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
    auth_message = (
        f"n=user,r=rOprNGfwEbeRWgbNEkqO,r={nonce},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,c=biws,r={nonce}".encode()
    )

    def signature(key: str) -> bytes:
        return hmac.new(base64.b64decode(key), auth_message, hashlib.sha256).digest()

    proof = base64.b64decode("dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=")
    client_key = bytes(a ^ b for a, b in zip(proof, signature(stored_key), strict=True))
    assert hashlib.sha256(client_key).digest() == base64.b64decode(stored_key)
    assert base64.b64encode(signature(server_key)) == b"6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="
    assert (iterations, stored_salt) == ("4096", "W22ZaJ0SNY7soEsUEjb6gQ==")


def test_salts_differ_by_user_and_host() -> None:
    salts = {user_salt(host, user) for host in ("a.test", "b.test") for user in ("x", "y")}
    assert len(salts) == 4

# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role's variables: what they are made into, and what is refused before any host is touched."""

from __future__ import annotations

import base64
import hashlib
import hmac
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
        "tls": {},
        "verify": {},
        "firewall": {},
        "settings": {},
        "hardening": {"disable_vrfy_command": "yes", "biff": "no"},
    }
    return {**defaults, **changes}


def plan(**changes: t.Any) -> dict[str, t.Any]:
    made = make_plan(options(**changes))
    assert made["problems"] == []
    return made


def service(made: dict[str, t.Any], name: str) -> dict[str, str]:
    return next(service["options"] for service in made["services"] if service["name"] == name)


def test_null_client() -> None:
    made = plan()
    assert made["main"]["inet_interfaces"] == "loopback-only"
    assert made["main"]["relayhost"] == "[smtp.p.test]:587"
    assert "smtpd_tls_chain_files" not in made["main"]
    assert made["firewall"] == {"accept": [], "closed": [25, 465, 587]}
    assert not made["logins"]


def test_submission() -> None:
    made = plan(**LOGINS)
    assert service(made, "25")["smtpd_tls_security_level"] == "may"
    assert "smtpd_sasl_auth_enable" not in service(made, "25")
    assert service(made, "465")["smtpd_tls_wrappermode"] == "yes"
    for port in ("465", "587"):
        assert service(made, port)["smtpd_tls_security_level"] == "encrypt"
        assert service(made, port)["smtpd_relay_restrictions"] == "permit_sasl_authenticated,reject"
    assert made["tables"]["senders"] == "deploy@a.test deploy\n@b.test deploy\n"
    assert made["tables"]["sasl_passwd"] == "[smtp.p.test]:587 me@p.test:secret word\n"
    assert made["tables"]["tls_policy"] == "[smtp.p.test]:587 secure\n"
    assert made["tables"]["dovecot_users"].startswith("deploy:{SCRAM-SHA-256}")
    assert "pw" not in made["tables"]["dovecot_users"].split(":")[1].split(",")


def test_firewall_sources_by_family() -> None:
    accept = plan(**LOGINS)["firewall"]["accept"]
    assert accept == [
        {"port": 25, "match": ""},
        {"port": 465, "match": "ip saddr { 192.0.2.0/24 } "},
        {"port": 465, "match": "ip6 saddr { 2001:db8::/32 } "},
        {"port": 587, "match": ""},
    ]


def test_settings_win() -> None:
    made = plan(settings={"biff": True, "message_size_limit": 5, "smtpd_milters": ["inet:a", "inet:b"]})
    assert made["main"]["biff"] == "yes"
    assert made["main"]["message_size_limit"] == "5"
    assert made["main"]["smtpd_milters"] == "inet:a, inet:b"


def test_networks_in_postfix_form() -> None:
    made = plan(networks=["192.0.2.0/24", "2001:db8::/32"])
    assert made["main"]["mynetworks"] == "127.0.0.0/8 [::1]/128 192.0.2.0/24 [2001:db8::]/32"


def test_values_as_inventories_in_ini_form_give_them() -> None:
    made = plan(
        listeners=[{"port": "587", "login": "no", "from": "192.0.2.1,192.0.2.2"}],
        networks="192.0.2.0/24, 198.51.100.7",
        upstream={"host": "smtp.p.test", "port": "2525"},
    )
    assert made["main"]["mynetworks"].endswith("192.0.2.0/24 198.51.100.7/32")
    assert made["main"]["relayhost"] == "[smtp.p.test]:2525"
    assert "smtpd_sasl_auth_enable" not in service(made, "587")
    assert made["firewall"]["accept"][0]["match"] == "ip saddr { 192.0.2.1/32, 192.0.2.2/32 } "


def test_numbers_for_text_as_yaml_gives_them() -> None:
    made = plan(
        listeners=[{"port": 587}],
        users=[{"name": 123, "password": 12345678}],
        upstream={"host": "smtp.p.test", "username": "u", "password": 4711},
    )
    assert made["tables"]["dovecot_users"].startswith("123:{SCRAM-SHA-256}")
    assert made["tables"]["sasl_passwd"] == "[smtp.p.test]:587 u:4711\n"


def test_senders_are_written_as_postfix_sees_them() -> None:
    user = {"name": "a", "password": "x", "senders": [" ops@a.test", "<b@a.test>", "c@MÜNCHEN.de", "@münchen.de"]}
    senders = plan(users=[user])["tables"]["senders"].splitlines()
    assert senders == ["ops@a.test a", "b@a.test a", "c@xn--mnchen-3ya.de a", "@xn--mnchen-3ya.de a"]


def test_certificate() -> None:
    given = plan(listeners=[{"port": 25}], tls={"certificate": "c.pem", "key": "k.pem"})
    assert (given["main"]["smtpd_tls_chain_files"], given["self_signed"]) == ("/etc/postfix/relay.pem", False)
    own = plan(listeners=[{"port": 25}])
    assert (own["main"]["smtpd_tls_chain_files"], own["self_signed"]) == ("/etc/postfix/self-signed.pem", True)


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
    ({"listeners": [{"port": 0}]}, "relay_listeners[0]: port 0"),
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
    ({"upstream": {"host": "x"}}, "relay_upstream.host: 'x' is no host name"),
    ({"upstream": {"host": "a.test", "port": 70000}}, "relay_upstream.port: 70000"),
    ({"upstream": {"host": "a.test", "username": "u"}}, "username and password together"),
    (
        {"upstream": {"host": "a.test", "username": "u", "password": "p", "tls": "none"}},
        "would send the password in clear",
    ),
    (
        {"upstream": {"host": "a.test", "username": "u", "password": "p\nx"}},
        "relay_upstream.password: holds a character",
    ),
    ({"upstream": {}}, "relay_upstream: a host without listeners"),
    ({"tls": {"key": "k"}}, "relay_tls: expected certificate and key together"),
    ({"settings": {"a b": "c"}}, "relay_settings.a b: "),
    ({"settings": {"biff": "no\nsmtpd_x = y"}}, "relay_settings.biff: "),
    ({"hostname": "192.0.2.10"}, "relay_hostname: '192.0.2.10' is no fully qualified name"),
    ({"listeners": [{"port": 25, "from": []}]}, "relay_listeners[0].from: an empty list lets nobody connect"),
    ({"users": [{"name": "App", "password": "x"}]}, "expected a name of small letters"),
    ({"users": [{"name": "a", "password_hash": "{PLAIN}x"}]}, "no scheme fit for passwords"),
    ({"users": [{"name": "a", "password": "x", "senders": ["#x@a.test"]}]}, "'#x@a.test' is no address"),
    ({"upstream": {"host": "a.test", "port": 465}}, "relay_upstream.port: 465 speaks TLS"),
    (
        {"listeners": [{"port": 25, "tls": "starttls"}], "verify": {"to": "a@b.test"}},
        "relay_verify: the message goes in",
    ),
    ({"verify": {"to": "nobody at all"}}, "relay_verify.to: "),
]


@pytest.mark.parametrize(("changes", "words"), BAD)
def test_bad_input_is_told_in_a_sentence(changes: dict[str, t.Any], words: str) -> None:
    problems = make_plan(options(**changes))["problems"]
    assert any(words in problem for problem in problems), problems


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

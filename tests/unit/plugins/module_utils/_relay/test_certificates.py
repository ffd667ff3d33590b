# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the relay's certificate comes from, and what is refused before a host is touched."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

import pytest

from ansible_collections.mailops.smtp.plugins.module_utils._relay.certificates import find_file_problem
from ansible_collections.mailops.smtp.tests.unit.support.relay_plans import LOGINS, firewall_rules, plan, problems_of
from ansible_collections.mailops.smtp.tests.unit.support.renewing import issue

OWN = {"directory": "https://acme.lab.test:14000/dir"}
DNS = {"server": "192.0.2.53", "key_name": "relay.", "secret": "c2VjcmV0LXNlY3JldA=="}
WAYS: list[tuple[dict[str, t.Any], str, str]] = [
    ({}, "self_signed", "/etc/postfix/self-signed.pem"),
    ({"old_clients": True}, "self_signed", "/etc/postfix/self-signed.pem"),
    ({"fetch_to": "certificates"}, "self_signed", "/etc/postfix/self-signed.pem"),
    ({"certificate": "c", "key": "k"}, "files", "/etc/postfix/relay.pem"),
    ({"path": "/etc/ssl/own.pem"}, "path", "/etc/relay-certificate/relay.pem"),
    ({"acme": OWN}, "acme", "/etc/relay-certificate/relay.pem"),
]


@pytest.mark.parametrize(("tls", "way", "file"), WAYS)
def test_postfix_reads_one_file_in_every_way(tls: dict[str, t.Any], way: str, file: str) -> None:
    made = plan(**LOGINS, tls=tls)
    assert made["certificate"]["way"] == way
    assert made["main"]["smtpd_tls_chain_files"] == made["certificate"]["file"] == file
    assert made["self_signed"] == (way == "self_signed")


SOURCES: list[tuple[dict[str, t.Any], dict[str, str]]] = [
    ({"path": "/a/own.pem"}, {"chain": "/a/own.pem", "key": "/a/own.pem"}),
    ({"path": "/a/own.pem", "key_path": "/b/own.key"}, {"chain": "/a/own.pem", "key": "/b/own.key"}),
    (
        {"acme": OWN},
        {
            "chain": "/etc/letsencrypt/live/mailops-relay/fullchain.pem",
            "key": "/etc/letsencrypt/live/mailops-relay/privkey.pem",
        },
    ),
]


@pytest.mark.parametrize(("tls", "source"), SOURCES)
def test_program_on_the_host_follows_key_and_chain(tls: dict[str, t.Any], source: dict[str, str]) -> None:
    assert plan(**LOGINS, tls=tls)["certificate"]["source"] == source


def test_only_http_01_opens_port_80() -> None:
    opened = plan(**LOGINS, tls={"acme": OWN})
    assert "tcp dport 80 accept" in firewall_rules(opened)
    assert opened["other_ports"] == [{"port": 80, "from": []}]
    assert 80 not in [one["port"] for one in opened["ports"]]
    closed = plan(**LOGINS, tls={"acme": {**OWN, "challenge": "dns-01", "dns": DNS}})
    assert not [rule for rule in firewall_rules(closed) if " 80 " in rule]


def test_secret_of_the_tsig_key_is_not_in_the_plan() -> None:
    made = plan(**LOGINS, tls={"acme": {**OWN, "challenge": "dns-01", "dns": DNS}})
    assert made["certificate"]["acme"]["dns"] == {
        "server": "192.0.2.53",
        "port": 53,
        "key_name": "relay.",
        "algorithm": "hmac-sha256",
        "propagation": 60,
    }
    assert DNS["secret"] not in json.dumps(made)


def test_lets_encrypt_is_the_default_authority() -> None:
    acme = plan(**LOGINS, hostname="relay.a-company.org", domain="a-company.org", tls={"acme": {}})["certificate"][
        "acme"
    ]
    assert acme["directory"] == "https://acme-v02.api.letsencrypt.org/directory"
    assert (acme["challenge"], acme["key_type"], acme["names"]) == ("http-01", "ecdsa", ["relay.a-company.org"])


PASTED = "-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----"
BAD: list[tuple[dict[str, t.Any], str]] = [
    ({"key": "k"}, "relay_tls: has only one of certificate and key; expected both"),
    (
        {"certificate": "c", "key": "k", "path": "/p"},
        "relay_tls: has certificate and path; expected certificate and key",
    ),
    ({"path": "/p", "acme": OWN}, "relay_tls: has path and acme; expected"),
    ({"acme": OWN, "fetch_to": "x"}, "relay_tls: has acme and fetch_to; expected"),
    (
        {"certificate": PASTED, "key": "k"},
        "relay_tls.certificate: is a text in PEM format; expected the path of a file",
    ),
    ({"path": PASTED}, "relay_tls.path: is a text in PEM format; expected the path of a file"),
    ({"path": "own.pem"}, "relay_tls.path: 'own.pem' is not an absolute path"),
    (
        {"path": "/etc/ssl/../own.pem"},
        "relay_tls.path: /etc/ssl/../own.pem is not in its shortest form; expected a path",
    ),
    ({"path": "/etc/ssl/"}, "relay_tls.path: /etc/ssl/ is not in its shortest form"),
    ({"key_path": "/k"}, "relay_tls: has key_path and no path; expected path"),
    (
        {"path": "/etc/letsencrypt/live/mailops-relay/fullchain.pem"},
        "relay_tls.path: /etc/letsencrypt/live/mailops-relay/fullchain.pem is of a certificate that this role orders",
    ),
    ({"path": "/etc/relay-certificate/relay.pem"}, "is what the role writes; expected the file to make it from"),
    ({"acme": {}}, "relay_tls.acme.names: relay.a.test is not a name of the public DNS, so Let's Encrypt cannot"),
    ({"acme": {**OWN, "directory": "http://acme.test"}}, "relay_tls.acme.directory: 'http://acme.test' is not valid"),
    ({"acme": {**OWN, "names": ["www.a.test"]}}, "relay_tls.acme.names: does not have relay.a.test"),
    ({"acme": {**OWN, "names": ["*.a.test"]}}, "relay_tls.acme.names: '*.a.test' is not a fully qualified name"),
    ({"acme": {**OWN, "names": ["bücher.a.test"]}}, "is not a fully qualified name; expected one in ASCII such as"),
    ({"acme": {**OWN, "directory": "https://"}}, "relay_tls.acme.directory: 'https://' is not valid; expected a URL"),
    ({"acme": {**OWN, "challenge": "dns-01"}}, "relay_tls.acme.challenge: dns-01 needs dns, the name server to update"),
    ({"acme": {**OWN, "dns": DNS}}, "relay_tls.acme.challenge: http-01 does not use dns; expected dns-01"),
    (
        {"acme": {**OWN, "challenge": "dns-01", "dns": {**DNS, "server": "ns.a.test"}}},
        "relay_tls.acme.dns.server: 'ns.a.test' is not an address; expected one such as 192.0.2.53",
    ),
    (
        {"acme": {**OWN, "challenge": "dns-01", "dns": {**DNS, "secret": "hunter2!"}}},
        "relay_tls.acme.dns.secret: is not in Base64; expected the secret of the TSIG key",
    ),
    (
        {"acme": {**OWN, "challenge": "dns-01", "dns": {**DNS, "algorithm": "rsa-sha256"}}},
        "relay_tls.acme.dns.algorithm: 'rsa-sha256' is not valid; expected one of hmac-md5, ",
    ),
    (
        {"acme": {**OWN, "challenge": "dns-01", "dns": {**DNS, "key_name": "relay key"}}},
        "relay_tls.acme.dns.key_name: 'relay key' is not valid; expected the name of the TSIG key",
    ),
    ({"acme": {**OWN, "profile": "a b"}}, "relay_tls.acme.profile: 'a b' is not valid"),
    ({"acme": {**OWN, "profile": "--config"}}, "relay_tls.acme.profile: '--config' is not valid"),
    ({"acme": {**OWN, "ca_file": "ca.pem"}}, "relay_tls.acme.ca_file: 'ca.pem' is not an absolute path"),
    ({"acme": {**OWN, "email": "nobody"}}, "relay_tls.acme.email: 'nobody' is not a valid address"),
]


@pytest.mark.parametrize(("tls", "words"), BAD)
def test_invalid_certificate_is_refused_with_a_reason(tls: dict[str, t.Any], words: str) -> None:
    problems = problems_of(**LOGINS, tls=tls)
    assert any(words in problem for problem in problems), problems
    assert "c2VjcmV0" not in " ".join(problems)
    assert "hunter2" not in " ".join(problems)


#: Days from now, and what is wrong.
DATES = [
    (-1.0, 60.0, ""),
    (-9.0, -0.5, "certificate: the certificate expired on "),
    (1 / 24 + 0.01, 60.0, "certificate: the certificate is valid from "),
]


@pytest.mark.parametrize(("begins", "ends", "words"), DATES)
def test_file_of_the_controller_must_be_valid_now(tmp_path: Path, begins: float, ends: float, words: str) -> None:
    text = issue(tmp_path / "own.pem", "relay.a.test", begins, ends)
    found = find_file_problem(text, text)
    assert found.startswith(words) if words else found == ""
    assert not words or found.endswith(" If the clock of the controller is wrong, correct it.")
    assert "this host" not in found
    other = issue(tmp_path / "other.pem")
    assert find_file_problem(text, other).startswith("key: the key is not that of the first certificate")


def test_port_80_cannot_be_a_listener_and_answer_the_challenge() -> None:
    listeners = [*LOGINS["listeners"], {"port": 80}]
    (problem,) = problems_of(**{**LOGINS, "listeners": listeners}, tls={"acme": OWN})
    assert problem.startswith("relay_tls.acme.challenge: http-01 needs port 80, which is a port of relay_listeners")


def test_a_relay_without_tls_needs_no_certificate() -> None:
    (problem,) = problems_of(listeners=[{"port": 25, "tls": "none"}], tls={"path": "/etc/ssl/own.pem"})
    assert problem.startswith("relay_tls: no listener uses TLS; expected one that does")

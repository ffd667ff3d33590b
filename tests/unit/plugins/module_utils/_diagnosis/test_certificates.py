# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A certificate that is refused: why, what is in it, and by which options it would be accepted."""

from __future__ import annotations

import datetime
import ssl
import typing as t
from dataclasses import replace

import pytest
import trustme

from ansible_collections.mailops.smtp.plugins.module_utils._diagnosis.questions import Answers, Questions
from ansible_collections.mailops.smtp.plugins.module_utils._diagnosis.walk import walk
from ansible_collections.mailops.smtp.plugins.module_utils._smtp import watched
from ansible_collections.mailops.smtp.plugins.module_utils._smtp.settings import ServerSettings
from ansible_collections.mailops.smtp.plugins.module_utils._smtp.tls import TlsPolicy
from ansible_collections.mailops.smtp.tests.fault.peer import Peer
from ansible_collections.mailops.smtp.tests.unit.support.authority import Authority, authority_for

DAY = datetime.timedelta(days=1)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return authority_for("localhost", tmp_path_factory.mktemp("ca"))


def context_of(pem: bytes) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with trustme.Blob(pem).tempfile() as path:
        context.load_cert_chain(path)
    return context


def issued(ca: trustme.CA, *names: str, sends_authority: bool = False, **dates: t.Any) -> ssl.SSLContext:
    """The context of a server with a certificate of this authority."""
    leaf = ca.issue_cert(*names, **dates)
    pem = leaf.private_key_and_cert_chain_pem.bytes()
    return context_of(pem + (ca.cert_pem.bytes() if sends_authority else b""))


def now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)


def self_signed(_authority: Authority) -> ssl.SSLContext:
    ca = trustme.CA()
    return context_of(ca.private_key_pem.bytes() + ca.cert_pem.bytes())


class Case(t.NamedTuple):
    """A server, the words of the refusal, the options that would accept it, and words of the advice."""

    server: t.Callable[[Authority], ssl.SSLContext]
    refusal: str
    options: set[str]
    advice: list[str]


PIN = "pinned_certificates"
CASES: dict[str, Case] = {
    "another name": Case(
        lambda ours: issued(ours.ca, "mail.example.com", "*.example.org"),
        "not valid for 'localhost'",
        {PIN, "tls_server_name"},
        ["Here tls_server_name: mail.example.com would do."],
    ),
    "expired": Case(
        lambda ours: issued(ours.ca, "localhost", not_before=now() - 9 * DAY, not_after=now() - DAY),
        "certificate has expired",
        {PIN},
        ["renewed", "clock of this host"],
    ),
    "not yet valid": Case(
        lambda ours: issued(ours.ca, "localhost", not_before=now() + DAY, not_after=now() + 9 * DAY),
        "not yet valid",
        {PIN},
        ["clock of this host"],
    ),
    "another name, and expired": Case(
        lambda ours: issued(ours.ca, "other.test", not_before=now() - 9 * DAY, not_after=now() - DAY),
        "not valid for",
        {PIN},
        ["Set host or tls_server_name"],
    ),
    "an authority of its own": Case(
        lambda _ours: issued(trustme.CA(organization_name="Our CA"), "localhost"),
        "unable to get local issuer certificate",
        {PIN, "ca_file"},
        ["Here ca_file needs the certificate of its authority (OU=Testing CA #"],
    ),
    "an authority of its own, which is sent": Case(
        lambda _ours: issued(trustme.CA(organization_name="Our CA"), "localhost", sends_authority=True),
        "self-signed certificate in certificate chain",
        {PIN, "ca_file"},
        ["Here ca_file needs the certificate of its authority (OU=Testing CA #"],
    ),
    "an authority at the end of a long chain": Case(
        lambda _ours: context_of(
            trustme.CA().issue_cert("localhost").private_key_and_cert_chain_pem.bytes()
            + b"".join(trustme.CA().cert_pem.bytes() for _number in range(19))
        ),
        "unable to get local issuer certificate",
        {PIN, "ca_file"},
        ["Here ca_file needs the certificate of its authority at the end of its long chain."],
    ),
    "another name, among hundreds": Case(
        lambda ours: issued(ours.ca, *(f"h{number}.test" for number in range(300))),
        "not valid for 'localhost'",
        {PIN, "tls_server_name"},
        ["Here tls_server_name: h0.test would do."],
    ),
    "self-signed": Case(
        self_signed, "self-signed certificate", {PIN, "ca_file"}, ["Here ca_file needs a copy of this"]
    ),
}


def ask(server: ssl.SSLContext, policy: TlsPolicy) -> Answers:
    with Peer(tls=server) as peer:
        return walk(Questions(ServerSettings("localhost", peer.port, policy, timeout=5.0)))


@pytest.mark.parametrize("name", CASES)
def test_a_refused_certificate_is_read(authority: Authority, name: str) -> None:
    case = CASES[name]
    server = case.server(authority)
    policy = TlsPolicy(ca_file=authority.ca_file)
    answers = ask(server, policy)
    tls = answers.evidence.facts.tls
    assert tls
    assert (tls.accepted, tls.verified) == (False, False)
    assert case.refusal in tls.refusal
    assert tls.version.startswith("TLSv1.")
    assert set(answers.accepted_by) == case.options
    found = answers.problem
    assert found
    assert (found.step.value, found.state.value) == ("tls", "failed")
    assert f"SHA-256 {tls.chain[0].sha256}" in found.problem
    assert ("and at least 97 more names" in found.problem) is (len(tls.chain[0].names) == 100)
    assert [words for words in [*case.advice, PIN] if words not in found.advice] == [], found.advice
    assert answers.evidence.facts.connections_made == 3
    # what is said to accept it does
    pinned = ask(server, replace(policy, verify=False, pins=tuple(answers.accepted_by[PIN])))
    assert pinned.evidence.facts.tls
    assert pinned.evidence.facts.tls.accepted
    if "tls_server_name" in case.options:
        named = ask(server, replace(policy, server_name=answers.accepted_by["tls_server_name"][0]))
        assert named.problem is None


def test_a_pin_that_does_not_fit_is_told_with_the_right_one(authority: Authority) -> None:
    answers = ask(authority.server, TlsPolicy(ca_file=authority.ca_file, pins=("00" * 32,)))
    assert answers.accepted_by == {PIN: [authority.digest]}
    assert answers.evidence.facts.tls
    assert "not in pinned_certificates" in answers.evidence.facts.tls.refusal
    assert answers.evidence.facts.connections_made == 2


def test_a_handshake_that_fails_without_a_certificate_is_not_known(authority: Authority) -> None:
    server = issued(authority.ca, "localhost")
    server.maximum_version = ssl.TLSVersion.TLSv1_2
    answers = ask(server, TlsPolicy(ca_file=authority.ca_file, minimum_version="TLSv1.3"))
    assert answers.evidence.facts.tls is None
    assert "tls" in {one.path for one in answers.evidence.unknown}
    assert answers.problem
    assert "TLS version" in answers.problem.problem
    assert answers.accepted_by == {}


def test_the_chain_is_unknown_where_python_does_not_tell_it(
    authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watched, "sent_chain", lambda _stream: None)
    answers = ask(authority.server, TlsPolicy(ca_file=authority.ca_file))
    tls = answers.evidence.facts.tls
    assert tls
    assert (len(tls.chain), tls.chain_length, tls.chain[0].sha256) == (1, None, authority.digest)
    assert [one.path for one in answers.evidence.unknown] == ["tls.chain_length"]


def test_a_certificate_that_is_not_checked_is_told_so(authority: Authority) -> None:
    answers = ask(issued(trustme.CA(), "other.test"), TlsPolicy(verify=False))
    assert answers.problem is None
    assert answers.evidence.facts.tls
    assert (answers.evidence.facts.tls.accepted, answers.evidence.facts.tls.verified) == (True, False)

# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mechanisms with the examples of their specifications, and with challenges that make no sense.

Covers _sasl/mechanisms.py and _sasl/scram.py.
"""

from __future__ import annotations

import base64
import contextlib
import typing as t

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.mailops.smtp.plugins.module_utils._sasl import mechanisms, scram
from ansible_collections.mailops.smtp.plugins.module_utils._sasl.choice import MECHANISMS
from ansible_collections.mailops.smtp.plugins.module_utils._sasl.credentials import Credentials
from ansible_collections.mailops.smtp.plugins.module_utils._sasl.mechanisms import (
    BadChallenge,
    Exchange,
    ExchangeContext,
    Gs2,
    ServerUnproven,
)

#: RFC 5802 section 5 and RFC 7677 section 3: digest, nonce, server first, client final, server final
SCRAM = [
    (
        "sha1",
        "fyko+d2lbbFgONRv9qkxdawL",
        b"r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096",
        b"c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=",
        b"v=rmF9pqV8S7suAoZWja4dJRkFsKQ=",
    ),
    (
        "sha256",
        "rOprNGfwEbeRWgbNEkqO",
        b"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
        b"c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
        b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=",
    ),
]
PENCIL = Credentials("user", "pencil")


@pytest.mark.parametrize(("digest", "nonce", "server_first", "client_final", "server_final"), SCRAM)
def test_scram_matches_the_examples_of_the_rfcs(
    digest: str, nonce: str, server_first: bytes, client_final: bytes, server_final: bytes
) -> None:
    exchange = scram.scram(digest, PENCIL, ExchangeContext(), nonce)
    assert next(exchange) == (f"n,,n=user,r={nonce}".encode(), False, "")
    assert exchange.send(server_first) == (client_final, False, "")
    assert exchange.send(server_final) == (b"", True, "")
    with pytest.raises(StopIteration):
        exchange.send(b"")


def test_scram_escapes_and_prepares_the_user_name() -> None:
    first = next(
        scram.scram("sha256", Credentials("a=b,c\u00adü", "x"), ExchangeContext(gs2=Gs2("p=kind", b"data")), "nonce")
    )
    assert first.data == "p=kind,,n=a=3Db=2Ccü,r=nonce".encode()


def test_scram_nonces_differ() -> None:
    nonces = {next(scram.scram("sha256", PENCIL, ExchangeContext())).data for _attempt in range(100)}
    assert len(nonces) == 100


GOOD_FIRST = b"r=noncemore,s=QSXCR+Q6sek8bf92,i=1"

BAD_FIRST = [
    (b"", "does not follow RFC 5802"),
    (b"garbage", "does not follow RFC 5802"),
    (b"\xff\xfe", "not UTF-8"),
    (b"m=must,r=noncemore,s=QSXC,i=1", "does not follow RFC 5802"),
    (b"r=noncemore", "does not follow RFC 5802"),
    (b"r=noncemore,s=QSXC", "does not follow RFC 5802"),
    (b"r=noncemore,s=,i=1", "does not follow RFC 5802"),
    (b"r=noncemore,s=QSX,i=1", "not base64"),
    (b"r=noncemore,s=QSXC,i=0", "does not follow RFC 5802"),
    (b"r=noncemore,s=QSXC,i=-5", "does not follow RFC 5802"),
    (b"r=noncemore,s=QSXC,i=10000001", "requires 10000001 SCRAM iterations; expected at most 10000000"),
    (b"r=noncemore,s=QSXC,i=99999999999999", "does not follow RFC 5802"),
    (b"r=other,s=QSXC,i=1", "does not extend the client's"),
    (b"r=nonce,s=QSXC,i=1", "does not extend the client's"),
    (b"e=unknown-user", "aborted SCRAM: unknown-user"),
]


@pytest.mark.parametrize(("challenge", "words"), BAD_FIRST)
def test_scram_refuses_an_invalid_first_challenge(challenge: bytes, words: str) -> None:
    exchange = scram.scram("sha256", PENCIL, ExchangeContext(), "nonce")
    next(exchange)
    with pytest.raises(BadChallenge, match=words):
        exchange.send(challenge)


BAD_FINAL = [
    (b"", ServerUnproven, "no signature"),
    (b"v=", ServerUnproven, "no signature"),
    (b"235 ok", ServerUnproven, "no signature"),
    (b"v=rmF9pqV8S7suAoZWja4dJRkFsKQ=", ServerUnproven, "signature is wrong"),
    (b"v=rmF9", ServerUnproven, "signature is wrong"),
    (b"v=!!!!", BadChallenge, "not base64"),
    (b"v=\xff", BadChallenge, "not UTF-8"),
]


@pytest.mark.parametrize(("challenge", "error", "words"), BAD_FINAL)
def test_scram_refuses_a_server_that_does_not_prove_itself(
    challenge: bytes, error: type[BadChallenge], words: str
) -> None:
    exchange = scram.scram("sha256", PENCIL, ExchangeContext(), "nonce")
    next(exchange)
    exchange.send(GOOD_FIRST)
    with pytest.raises(error, match=words):
        exchange.send(challenge)


def test_scram_failure_has_the_reason_of_the_server() -> None:
    exchange = scram.scram("sha256", PENCIL, ExchangeContext(), "nonce")
    next(exchange)
    exchange.send(GOOD_FIRST)
    assert exchange.send(b"e=invalid-proof") == (b"", False, "the server reports invalid-proof")


def test_cram_md5_matches_the_example_of_the_rfc() -> None:
    """RFC 2195 section 2."""
    exchange = mechanisms.cram_md5(Credentials("tim", "tanstaaftanstaaf"), ExchangeContext())
    assert next(exchange) is mechanisms.LISTEN
    response = exchange.send(b"<1896.697170952@postoffice.reston.mci.net>")
    assert response == (b"tim b913a602c7eda7a495b4e6e7334d3890", True, "")


def test_cram_md5_refuses_an_empty_challenge() -> None:
    exchange = mechanisms.cram_md5(PENCIL, ExchangeContext())
    next(exchange)
    with pytest.raises(BadChallenge, match="empty"):
        exchange.send(b"")


def test_plain_matches_the_example_of_the_rfc() -> None:
    """RFC 4616 section 4."""
    assert (
        next(mechanisms.plain(Credentials("tim", "tanstaaftanstaaf"), ExchangeContext())).data
        == b"\0tim\0tanstaaftanstaaf"
    )


OAUTH = Credentials("user@example.com", token="vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==")
REFUSED_TOKEN = base64.b64decode(
    "eyJzdGF0dXMiOiJpbnZhbGlkX3Rva2VuIiwic2NvcGUiOiJleGFtcGxlX3Njb3BlIiwib3BlbmlkLWNvbmZpZ3VyYXRpb24iOiJodHRwczovL2V4"
    "YW1wbGUuY29tLy53ZWxsLWtub3duL29wZW5pZC1jb25maWd1cmF0aW9uIn0="
)


def test_oauthbearer_matches_the_examples_of_the_rfc() -> None:
    """RFC 7628 sections 4.1 and 4.3."""
    exchange = mechanisms.oauthbearer(OAUTH, ExchangeContext("server.example.com", 587))
    response = next(exchange)
    assert response.complete
    assert base64.b64encode(response.data).decode() == (
        "bixhPXVzZXJAZXhhbXBsZS5jb20sAWhvc3Q9c2VydmVyLmV4YW1wbGUuY29tAXBvcnQ9NTg3AWF1dGg9QmVhcmVyIHZGOWRmdDRxbVRjMk52YjNS"
        "bGNrQmhiSFJoZG1semRHRXVZMjl0Q2c9PQEB"
    )
    assert exchange.send(REFUSED_TOKEN) == (
        b"\x01",
        False,
        "the server refused the token: status invalid_token, scope example_scope",
    )


@pytest.mark.parametrize(("user", "identity"), [("a,b=c", b"n,a=a=2Cb=3Dc,\x01"), ("", b"n,,\x01")])
def test_oauthbearer_escapes_the_user_name(user: str, identity: bytes) -> None:
    data = next(mechanisms.oauthbearer(Credentials(user, token="t"), ExchangeContext("h", 1))).data
    assert data == identity + b"host=h\x01port=1\x01auth=Bearer t\x01\x01"


def test_xoauth2_matches_the_example_of_google() -> None:
    """The example is from Google's page on the protocol."""
    exchange = mechanisms.xoauth2(
        Credentials("someuser@example.com", token="ya29.vF9dft4qmTc2Nvb3RlckBhdHRhdmlzdGEuY29tCg"), ExchangeContext()
    )
    assert base64.b64encode(next(exchange).data) == (
        b"dXNlcj1zb21ldXNlckBleGFtcGxlLmNvbQFhdXRoPUJlYXJlciB5YTI5LnZGOWRmdDRxbVRjMk52YjNSbGNrQmhkSFJoZG1semRHRXVZMjl0"
        b"Q2cBAQ=="
    )
    challenge = b'{"status":"401","schemes":"bearer mac","scope":"https://mail.google.com/"}'
    assert exchange.send(challenge) == (
        b"",
        False,
        "the server refused the token: status 401, scope https://mail.google.com/",
    )


@pytest.mark.parametrize("failure", [b"", b"[]", b"{", b"\xff", b"[" * 100_000, b'{"status": {}}', b"9" * 10_000])
def test_refusal_of_a_token_with_malformed_json_is_described(failure: bytes) -> None:
    assert mechanisms.token_problem(failure).startswith("the server refused the token")


@pytest.mark.parametrize(("user", "data"), [("", b""), ("someone", b"someone")])
def test_external_sends_the_user_name(user: str, data: bytes) -> None:
    assert next(mechanisms.external(Credentials(user), ExchangeContext())).data == data


def started(mechanism: t.Any) -> Exchange:
    credentials = {"PASSWORD": PENCIL, "TOKEN": OAUTH, "CERTIFICATE": Credentials("")}[mechanism.proof.name]
    exchange: Exchange = mechanism.start(credentials, ExchangeContext("h", 1))
    next(exchange)
    return exchange


CHALLENGES = st.one_of(st.binary(max_size=80), st.from_regex(rb"\A[rvsemi]=[!-~]{0,20}(,[rsiv]=[!-~]{0,20}){0,3}\Z"))


@pytest.mark.parametrize("mechanism", MECHANISMS, ids=lambda mechanism: mechanism.name)
@settings(deadline=None)  # a busy machine must not fail the test
@given(challenges=st.lists(CHALLENGES, min_size=1, max_size=4))
def test_any_challenge_is_answered_or_refused(mechanism: t.Any, challenges: list[bytes]) -> None:
    exchange = started(mechanism)
    try:
        for challenge in challenges:
            exchange.send(challenge)
    except (BadChallenge, StopIteration):
        pass


@settings(deadline=None)  # a busy machine must not fail the test
@given(challenge=CHALLENGES)
def test_any_wrong_last_challenge_of_scram_is_a_failure(challenge: bytes) -> None:
    exchange = scram.scram("sha256", PENCIL, ExchangeContext(), "nonce")
    next(exchange)
    exchange.send(GOOD_FIRST)
    with contextlib.suppress(BadChallenge):
        assert not exchange.send(challenge).complete

# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests for an access token and the answers to them (RFC 6749)."""

from __future__ import annotations

import base64
import json
import traceback
import typing as t
import urllib.parse

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.mailops.smtp.plugins.module_utils._sasl.oauth import (
    AccessToken,
    BadTokenAnswer,
    Grant,
    InvalidTokenClient,
    OAuthError,
    TokenClient,
    TokenRefused,
)

SECRET = "client-s3cret/+="
REFRESH = "0.refresh-s3cret"
CLIENT = TokenClient("https://login.example.com/token", Grant.CLIENT_CREDENTIALS, "app", SECRET)


def fields(client: TokenClient) -> dict[str, str]:
    return dict(urllib.parse.parse_qsl(client.request().body.decode()))


#: provider, grant, tenant, scope -> url, scope
END_POINTS = [
    (
        "microsoft",
        Grant.CLIENT_CREDENTIALS,
        "example.onmicrosoft.com",
        None,
        "https://login.microsoftonline.com/example.onmicrosoft.com/oauth2/v2.0/token",
        "https://outlook.office365.com/.default",
    ),
    (
        "microsoft",
        Grant.REFRESH_TOKEN,
        None,
        None,
        "https://login.microsoftonline.com/common/oauth2/v2.0/token",
        "https://outlook.office.com/SMTP.Send",
    ),
    ("google", Grant.REFRESH_TOKEN, None, None, "https://oauth2.googleapis.com/token", None),
    ("google", Grant.REFRESH_TOKEN, None, "mine", "https://oauth2.googleapis.com/token", "mine"),
]


@pytest.mark.parametrize(("provider", "grant", "tenant", "scope", "url", "asked"), END_POINTS)
def test_request_has_the_url_and_scope_of_the_provider(
    provider: str, grant: Grant, tenant: str | None, scope: str | None, url: str, asked: str | None
) -> None:
    client = TokenClient.of_provider(provider, grant, "app", SECRET, REFRESH, scope, tenant)
    expected = {"grant_type": grant.value, "client_id": "app", "client_secret": SECRET}
    if grant is Grant.REFRESH_TOKEN:
        expected["refresh_token"] = REFRESH
    if asked:
        expected["scope"] = asked
    assert fields(client) == expected
    request = client.request()
    assert request.url == url
    assert request.headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert b"s3cret" not in request.url.encode()


def test_request_of_a_public_client_has_no_secret() -> None:
    client = TokenClient("http://127.0.0.1:8080/token", Grant.REFRESH_TOKEN, "app", None, REFRESH)
    assert fields(client) == {"grant_type": "refresh_token", "client_id": "app", "refresh_token": REFRESH}


BAD_CLIENTS: list[tuple[dict[str, t.Any], str]] = [
    ({"provider": "google", "grant": Grant.CLIENT_CREDENTIALS}, "google does not support grant client_credentials"),
    ({"provider": "microsoft", "grant": Grant.CLIENT_CREDENTIALS}, "needs tenant"),
    ({"provider": "microsoft", "tenant": "a/../b"}, "tenant is 'a/../b'"),
    ({"provider": "unknown"}, "provider is 'unknown'; expected microsoft or google"),
    ({"provider": "google", "client_id": ""}, "client_id"),
    ({"provider": "google", "refresh_token": None}, "needs refresh_token"),
    ({"provider": "google", "client_secret": f"{SECRET}\n"}, "client_secret begins or ends with white space"),
    ({"provider": "google", "refresh_token": f" {REFRESH}"}, "refresh_token begins or ends with white space"),
    ({"provider": "google", "client_id": "a\x00b"}, "client_id .* control character; remove it"),
    ({"provider": "microsoft", "grant": Grant.CLIENT_CREDENTIALS, "tenant": "Common"}, "which is for users"),
]


@pytest.mark.parametrize(("values", "words"), BAD_CLIENTS)
def test_invalid_client_is_refused(values: dict[str, t.Any], words: str) -> None:
    usual = {"grant": Grant.REFRESH_TOKEN, "client_id": "app", "client_secret": SECRET, "refresh_token": REFRESH}
    with pytest.raises(InvalidTokenClient, match=words):
        TokenClient.of_provider(**{**usual, **values})


BAD_URLS = [
    ("http://login.example.com/token", "without TLS"),
    ("http://localhost.example.com/", "without TLS"),
    ("http://127.0.0.1.example.com/", "without TLS"),
    ("https://user:pw@login.example.com/", "contains a user name"),
    ("https://login.example.com/#x", "fragment"),
    ("ftp://login.example.com/", "not a valid URL"),
    ("login.example.com", "not a valid URL"),
    ("https:///token", "not a valid URL"),
    ("https://login.example.com:99999/", "not a valid URL"),
    ("https://[::1/", "not a valid URL"),
    ("https://login.example.com/\r\nX: y", "not a valid URL"),
    ("file:///etc/passwd", "not a valid URL"),
]


@pytest.mark.parametrize(("url", "words"), BAD_URLS)
def test_unsafe_or_invalid_url_is_refused(url: str, words: str) -> None:
    with pytest.raises(InvalidTokenClient, match=words):
        TokenClient(url, Grant.CLIENT_CREDENTIALS, "app", SECRET)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.9.9.9", "[::1]"])
def test_plain_http_is_allowed_to_this_host(host: str) -> None:
    assert TokenClient(f"http://{host}:8080/token", Grant.CLIENT_CREDENTIALS, "app", SECRET).request()


GOOD_ANSWERS: list[tuple[dict[str, t.Any], int | None]] = [
    ({"token_type": "Bearer", "expires_in": 3599}, 3599),
    ({"token_type": "bearer", "expires_in": "3599"}, 3599),
    ({"expires_in": 3599.9}, 3599),
    ({"expires_in": "3599.0"}, 3599),
    ({"expires_in": 0}, 0),
    ({"expires_in": -1}, None),
    ({"expires_in": -1.5}, None),
    ({"expires_in": "soon"}, None),
    ({"expires_in": "\u0663"}, None),
    ({"expires_in": float("nan")}, None),
    ({"expires_in": float("inf")}, None),
    ({"expires_in": 1e300}, None),
    ({"expires_in": 10**400}, None),
    ({"error": None}, None),
    ({"error": ""}, None),
    ({"expires_in": True}, None),
    ({"expires_in": [1]}, None),
    ({}, None),
]


@pytest.mark.parametrize(("facts", "seconds"), GOOD_ANSWERS)
def test_granted_token_has_its_lifetime(facts: dict[str, t.Any], seconds: int | None) -> None:
    body = json.dumps({"access_token": "ya29.t0ken", **facts}).encode()
    token = CLIENT.read_answer(200, body)
    assert token == AccessToken("ya29.t0ken", seconds)
    assert "t0ken" not in repr(token)


REFUSALS = [
    (
        400,
        {"error": "invalid_grant", "error_description": "AADSTS70008: expired.\r\nTrace ID: 1"},
        (
            r'login.example.com refused the request \(400\): "invalid_grant: AADSTS70008: expired.\?\?Trace ID: 1"; the'
            r" refresh token"
        ),
    ),
    (
        401,
        {"error": "invalid_client"},
        r"refused the request \(401\): \"invalid_client\"; check client_id and client_secret",
    ),
    (200, {"error": "odd", "access_token": "t"}, r"refused the request \(200\): \"odd\""),
    (302, {}, r"refused the request \(302\) without a readable reason"),
    (503, {"error": {"code": 1}}, r"refused the request \(503\) without a readable reason"),
    (400, {"error_description": "x" * 9999}, r"x{600}\.\.\."),
]


@pytest.mark.parametrize(("status", "facts", "words"), REFUSALS)
def test_refusal_has_status_reason_and_advice(status: int, facts: dict[str, t.Any], words: str) -> None:
    with pytest.raises(TokenRefused, match=words):
        CLIENT.read_answer(status, json.dumps(facts).encode())


@pytest.mark.parametrize(
    "echo", [SECRET, urllib.parse.quote(SECRET), base64.b64encode(f"app:{SECRET}".encode()).decode(), "ya29.t0ken"]
)
def test_secrets_in_a_refusal_are_scrubbed(echo: str) -> None:
    body = json.dumps({"error": echo, "error_description": f"not {echo}", "access_token": "ya29.t0ken"}).encode()
    with pytest.raises(TokenRefused) as caught:
        CLIENT.read_answer(400, body)
    shown = "".join(traceback.format_exception(caught.value))
    assert echo not in shown
    assert echo not in caught.value.error
    assert "s3cret" not in repr(CLIENT)


BAD_ANSWERS = [
    b"",
    b"<html>",
    b"[]",
    b'{"access_token": ""}',
    b'{"access_token": 1}',
    b'{"access_token": "a b"}',
    b'{"access_token": "a\\r\\nMAIL FROM:<x>"}',
    b'{"access_token": "a\\u0000"}',
    b'{"access_token": "a\\n"}',
    b'{"access_token": "%s"}' % (b"x" * 100_000),
    b"\xff",
]


@pytest.mark.parametrize("body", [*BAD_ANSWERS, b'{"access_token": "t", "token_type": "mac"}', b"[" * 200_000])
def test_answer_without_a_valid_token_is_refused(body: bytes) -> None:
    with pytest.raises(BadTokenAnswer) as caught:
        CLIENT.read_answer(200, body)
    assert caught.value.__context__ is None


@settings(deadline=None)  # a busy machine must not fail the test
@given(
    st.integers(100, 599),
    st.one_of(
        st.binary(max_size=200),
        st.dictionaries(
            st.sampled_from(["access_token", "error", "error_description", "expires_in", "token_type"]),
            st.one_of(st.text(max_size=30), st.integers(), st.none(), st.booleans(), st.floats()),
        ).map(lambda facts: json.dumps(facts).encode()),
    ),
)
def test_any_answer_is_a_token_or_a_typed_error(status: int, body: bytes) -> None:
    try:
        token = CLIENT.read_answer(status, body)
    except OAuthError:
        return
    assert token.token.isascii()

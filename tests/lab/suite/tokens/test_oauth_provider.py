# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Logins with OAuth2 tokens at the lab's provider: Postfix, Dovecot's oauth2 and a token server, from smtp_send."""

from __future__ import annotations

import typing as t
import uuid

import pytest

from ansible_collections.mailops.smtp.tests.lab.suite.oauth import order, ways

pytestmark = pytest.mark.second_lab

Send = t.Callable[..., dict[str, t.Any]]


def letter(oauth: dict[str, t.Any] | None, **options: t.Any) -> dict[str, t.Any]:
    """Return the options of smtp_send for a message with a login by token."""
    usual = {
        "host": "smtp.provider.test",
        "port": 2593,
        "username": "relay@provider.test",
        "oauth": oauth,
        "from": "relay@provider.test",
        "to": ["inbox@dest.test"],
        "subject": uuid.uuid4().hex,
        "body": "hello",
    }
    return {**usual, **options}


@pytest.mark.parametrize(
    ("way", "size", "port"),
    [
        ("client_secret", 0, 2593),
        ("client_secret", 3000, 2593),
        ("refresh_token", 0, 2593),
        ("certificate", 0, 2593),
        ("service_account", 0, 2593),
        ("client_secret", 0, 2594),
    ],
)
def test_a_token_logs_in(
    send: Send, provider: t.Any, read_mail: t.Any, passwords: t.Any, way: str, size: int, port: int
) -> None:
    order(provider, size=size)
    options = letter(ways(passwords)[way], port=port)
    done = send("client", **options)
    assert not done["failed"], done
    message = read_mail(options["subject"])
    assert "Authenticated sender: relay@provider.test" in " ".join(message.get_all("Received"))
    counts = order(provider)["counts"]
    assert (counts["granted"], counts["introspect"]) == (1, 1), counts


@pytest.mark.parametrize(
    ("switches", "changed", "words"),
    [
        ({"revoked": ["app"]}, {}, "AADSTS7000222"),
        ({"answer": [200, "<html>"]}, {}, "without an access token"),
        ({"answer": [503, "busy"]}, {}, "refused the request (503)"),
        ({"down": True}, {}, "no token from login.provider.test"),
        ({"life": 0}, {}, "535"),
        ({}, {"username": "deploy@provider.test"}, "535"),
    ],
)
def test_without_a_valid_token_there_is_no_login(
    send: Send, provider: t.Any, passwords: t.Any, switches: t.Any, changed: t.Any, words: str
) -> None:
    order(provider, **switches)
    done = send("client", **letter(ways(passwords)["client_secret"], **changed))
    assert done["failed"], done
    assert words in done["msg"], done["msg"]


def test_a_password_is_no_login_where_a_token_is_required(send: Send, passwords: t.Any) -> None:
    options = letter(None, password=passwords["relay@provider.test"])
    done = send("client", **options)
    assert done["failed"], done
    assert "XOAUTH2" in done["msg"], done["msg"]

# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""smtp_send against real servers that refuse: the errors of the module, and that nothing is sent."""

from __future__ import annotations

import typing as t

import pytest

UPSTREAM = "smtp.provider.test"
LOGIN = "deploy@provider.test"
Send = t.Callable[..., dict[str, t.Any]]


@pytest.fixture
def options(passwords: dict[str, str]) -> dict[str, t.Any]:
    return {
        "host": UPSTREAM,
        "tls": "starttls",
        "username": LOGIN,
        "password": passwords[LOGIN],
        "from": LOGIN,
        "to": ["inbox@dest.test"],
        "subject": "refused",
    }


FAILURES: list[tuple[dict[str, t.Any], str, list[str]]] = [
    ({"port": 2525}, "connect", ["smtp.provider.test:2525", "Connection refused", "Check host and port"]),
    ({"host": "nowhere.test"}, "connect", ["nowhere.test:587", "does not resolve"]),
    ({"ca_file": "/nonexistent.pem"}, "compose", ["ca_file /nonexistent.pem", "No such file"]),
    ({"password": "wrong"}, "auth", ["535", "5.7.8", "login of deploy@provider.test", "app password"]),
    ({"username": None, "password": None}, "mail", ["530", "Authentication required"]),
    ({"tls": "implicit", "port": 587}, "tls", ["without TLS", "tls: starttls"]),
    ({"port": 465}, "greeting", ["no answer within 10 s", "tls: implicit"]),
    ({"host": "smtp.provider.test:587"}, "compose", ["set host: smtp.provider.test, port: 587"]),
    ({"tls": "none"}, "compose", ["password in clear"]),
    ({"to": "Doe, John <inbox@dest.test>"}, "compose", ["to: ", "in quotes"]),
    ({"attachments": [{"path": "/nonexistent"}]}, "compose", ["/nonexistent cannot be read"]),
    ({"subject": "a\nBcc: x@y.test"}, "compose", ["line break"]),
]


@pytest.mark.parametrize(("changes", "stage", "words"), FAILURES)
def test_a_failure_names_stage_and_reason(
    send: Send, options: dict[str, t.Any], changes: dict[str, t.Any], stage: str, words: list[str]
) -> None:
    given = {name: value for name, value in {**options, **changes}.items() if value is not None}
    result = send("client", **given)
    assert result.get("failed") is True, result
    assert result["stage"] == stage, result["msg"]
    assert not [word for word in words if word not in result["msg"]], result["msg"]


def test_a_certificate_with_another_name_is_refused(
    send: Send, options: dict[str, t.Any], probe: t.Callable[..., t.Any]
) -> None:
    """The address is not on the certificate, which has only the name."""
    address = probe("client", "resolve", host=UPSTREAM)
    result = send("client", **{**options, "host": address})
    assert result["stage"] == "tls"
    assert "certificate was refused" in result["msg"]
    assert address in result["msg"]


def test_a_certificate_of_an_untrusted_authority_is_refused(
    send: Send, options: dict[str, t.Any], hosts: dict[str, t.Any]
) -> None:
    hosts["client"].check_output(
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=x "
        "-keyout /dev/null -out /root/other-ca.pem 2>/dev/null"
    )
    result = send("client", **{**options, "ca_file": "/root/other-ca.pem"})
    assert result["stage"] == "tls"
    assert "certificate was refused" in result["msg"]


def test_a_message_to_the_mail_server_of_the_host_is_sent(send: Send) -> None:
    """Its certificate is not for localhost, like that of Debian's ssl-cert. A mode that requires TLS stays strict."""
    message = {"from": "x@sender.test", "to": "inbox@dest.test", "subject": "local"}
    result = send("mx", **message)
    assert result["failed"] is False, result
    assert result["sessions"][-1]["tls_version"]
    assert result["sessions"][-1]["tls_verified"] is False
    strict = send("mx", **message, tls="starttls", port=25)
    assert strict["stage"] == "tls", strict
    assert "not valid for 'localhost'" in strict["msg"]


def test_a_partly_refused_message_fails(send: Send) -> None:
    """Sends to the destination itself, which refuses unknown mailboxes."""
    result = send(
        "client",
        host="mx.dest.test",
        port=25,
        **{"from": "x@sender.test"},
        subject="half",
        to=["inbox@dest.test", "nobody@dest.test"],
    )
    assert result["failed"] is True
    assert [recipient["status"] for recipient in result["recipients"]] == ["sent", "refused"]
    assert result["recipients"][1]["code"] == 550
    assert "1 of 2 recipients" in result["msg"]
    assert "nobody@dest.test" in result["msg"]


def test_check_mode_composes_and_sends_nothing(send: Send, options: dict[str, t.Any], hosts: dict[str, t.Any]) -> None:
    before = hosts["upstream"].check_output("journalctl --no-pager -o cat -t postfix/587/smtpd | wc -l")
    result = send("client", _check=True, **options)
    assert result["msg"].startswith("Would send")
    assert result["size"] > 100
    assert hosts["upstream"].check_output("journalctl --no-pager -o cat -t postfix/587/smtpd | wc -l") == before

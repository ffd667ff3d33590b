# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The server's options as people write them, and the mail server of the sending host."""

from __future__ import annotations

import typing as t

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.mailops.smtp.plugins.module_utils._module.send import SEND_SPEC
from ansible_collections.mailops.smtp.plugins.module_utils._module.server import _Text
from ansible_collections.mailops.smtp.tests.fault.peer import Peer
from ansible_collections.mailops.smtp.tests.unit.support.authority import Authority, authority_for

Run = t.Callable[..., dict[str, t.Any]]
SECRET = "hunter2-secret"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """The certificate of Debian's ssl-cert carries the name of the host only."""
    return authority_for("host.sender.test", tmp_path_factory.mktemp("ca"))


@pytest.mark.parametrize(
    ("options", "server"),
    [
        ({}, "localhost:25"),
        ({"host": " SMTP.Example.com. "}, "smtp.example.com:25"),
        ({"host": "[::1]"}, "[::1]:25"),
        ({"host": "müller.example", "tls": "starttls"}, "xn--mller-kva.example:587"),
        ({"provider": "gmail", "host": "relay.example.com."}, "relay.example.com:587"),
        ({"host": "smtp.gmail.com.", "port": 465}, "smtp.gmail.com:465"),
        ({"port": " 2525 "}, "localhost:2525"),
    ],
)
def test_server_is_understood_as_people_write_it(run: Run, options: dict[str, t.Any], server: str) -> None:
    result = run(None, _check=True, **options)
    assert f"through {server}." in result["msg"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"port": 0}, "port is 0; expected 1 to 65535"),
        ({"port": 0, "provider": "gmail"}, "port is 0; expected 1 to 65535"),
        ({"port": -1}, "port is -1; expected 1 to 65535"),
        ({"port": 65536}, "port is 65536; expected 1 to 65535"),
        ({"port": "587/tcp"}, "port"),
        ({"port": "smtp"}, "port"),
        ({"host": ""}, "host is empty"),
        ({"host": "", "provider": "gmail"}, "host is empty"),
        ({"host": "smtp.example.com:587"}, "set host: smtp.example.com, port: 587"),
        ({"host": "a.test, b.test"}, "expected one host name"),
        ({"host": f"smtps://user:{SECRET}@smtp.example.com:465"}, "tls: implicit, and the login in username and"),
        ({"host": f"user:{SECRET}@smtp.example.com"}, "the login in username and password"),
        ({"tls_server_name": f"smtps://user:{SECRET}@a.test"}, "set tls_server_name: a.test"),
        ({"ehlo_name": f"user:{SECRET}@a.test"}, "set ehlo_name: a.test"),
        ({"ehlohost": "http://a.test"}, "set ehlo_name: a.test"),
        ({"proxy": f"http://user:{SECRET}@a.test:0"}, "proxy has a port"),
        ({"proxy": f"http://user:{SECRET}@a b:1"}, "proxy is 'a b'"),
    ],
)
def test_what_cannot_be_understood_is_refused_and_no_password_shown(
    run: Run, options: dict[str, t.Any], words: str
) -> None:
    result = run(None, **options)
    assert result["failed"] is True
    assert words in result["msg"]
    assert SECRET not in str(result)


@pytest.mark.parametrize("options", [{}, {"secure": "try"}, {"tls": "opportunistic"}, {"host": "127.0.0.1"}])
def test_message_to_the_mail_server_of_the_host_is_sent_as_with_community_general_mail(
    run: Run, authority: Authority, options: dict[str, t.Any]
) -> None:
    """Debian's Postfix offers STARTTLS, with a certificate of its own that is not for localhost."""
    with Peer(tls=authority.server) as peer:
        result = run(peer, **{"host": "localhost", "to": "root", **options})
    assert result.get("failed") is None, result
    assert result["recipients"][0]["status"] == "sent"
    assert result["sessions"][-1]["tls_version"] == "TLSv1.3"
    assert result["sessions"][-1]["tls_verified"] is False


@pytest.mark.parametrize(
    "options",
    [
        {"tls": "starttls"},
        {"secure": "starttls"},
        {"validate_certs": True},
        {"ca_file": "CA"},
        {"ca_file": "CA", "tls_server_name": "localhost"},
        {"tls_server_name": "mail.sender.test"},
        {"pinned_certificates": ["0" * 64]},
        {"username": "user", "password": SECRET},
        {"username": "user", "oauth": {"token": SECRET}},
    ],
)
def test_explicit_verification_and_logins_stay_strict(
    run: Run, authority: Authority, options: dict[str, t.Any]
) -> None:
    given = {name: authority.ca_file if value == "CA" else value for name, value in options.items()}
    with Peer(tls=authority.server, extensions=["AUTH PLAIN XOAUTH2"]) as peer:
        result = run(peer, host="localhost", **given)
    assert result["failed"] is True
    assert result["stage"] == "tls"
    assert "certificate was refused" in result["msg"]
    assert not peer.messages
    assert not [command for command in peer.commands if command.startswith("AUTH")]


@pytest.mark.parametrize(
    "options", [{"validate_certs": False}, {"ca_file": "CA", "tls_server_name": "host.sender.test"}]
)
def test_verification_of_the_mail_server_of_the_host_follows_the_options(
    run: Run, authority: Authority, options: dict[str, t.Any]
) -> None:
    given = {name: authority.ca_file if value == "CA" else value for name, value in options.items()}
    with Peer(tls=authority.server) as peer:
        result = run(peer, host="localhost", **given)
    assert result["sessions"][-1]["tls_verified"] is ("ca_file" in options)


TEXTS = [name for name, spec in SEND_SPEC["argument_spec"].items() if isinstance(spec["type"], _Text)]


@pytest.mark.parametrize("value", [["a"], {"a": "b"}, True], ids=repr)
def test_text_of_the_server_is_not_made_of_another_value(value: object) -> None:
    assert len(TEXTS) > 10
    for name in TEXTS:
        (error,) = ArgumentSpecValidator(SEND_SPEC["argument_spec"]).validate({name: value}).error_messages
        assert name in error
        assert "expected one text, got a " in error


def test_paths_are_expanded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/ops")
    monkeypatch.setenv("PLACE", "here")
    given = ArgumentSpecValidator(SEND_SPEC["argument_spec"]).validate({"ca_file": "~/$PLACE.pem", "host": "~x"})
    assert given.validated_parameters["ca_file"] == "/home/ops/here.pem"
    assert given.validated_parameters["host"] == "~x"

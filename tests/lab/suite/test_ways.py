# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All kinds of connection and login to real servers, and the status of a message over each.

All sends of the tables run in one play: those that must succeed, and those that must fail, with the words of the error.
"""

from __future__ import annotations

import collections
import hashlib
import ssl
import typing as t
import uuid
from email.message import EmailMessage

import pytest

from ansible_collections.mailops.smtp.tests.lab.suite.conftest import parse
from ansible_collections.mailops.smtp.tests.lab.suite.plays import LAB

Options = dict[str, t.Any]
Result = dict[str, t.Any]
FindMail = t.Callable[..., list[bytes]]

UPSTREAM, MX = "smtp.provider.test", "mx.dest.test"
LOGIN = "deploy@provider.test"
PKI = LAB / "pki"
KEYS = "/srv/lab-keys"
WRONG_PIN = "00" * 32
LETTER = {"from": LOGIN, "to": "inbox@dest.test"}


@pytest.fixture(scope="module")
def nonce() -> str:
    """A unique word in the subject of all messages of this file."""
    return uuid.uuid4().hex


@pytest.fixture(scope="module")
def login(passwords: dict[str, str]) -> Options:
    return {"host": UPSTREAM, "tls": "starttls", "username": LOGIN, "password": passwords[LOGIN], **LETTER}


@pytest.fixture(scope="module")
def keys(put: t.Callable[[str, str, bytes], None]) -> Options:
    """Copy the client's certificate and key to the client; return the options that name them."""
    for name in ("client.sender.test.pem", "client.sender.test.key"):
        put("client", f"{KEYS}/{name}", (PKI / name).read_bytes())
    return {"client_cert": f"{KEYS}/client.sender.test.pem", "client_key": f"{KEYS}/client.sender.test.key"}


def pin(name: str) -> str:
    """Return the SHA-256 fingerprint of a host's certificate."""
    first = (PKI / f"{name}.pem").read_text().split("-----END CERTIFICATE-----")[0]
    der = ssl.PEM_cert_to_DER_cert(f"{first}-----END CERTIFICATE-----\n")
    return hashlib.sha256(der).hexdigest()


#: Options in addition to those of ``login``, and the expected facts of the connection.
TLS_WAYS: dict[str, tuple[Options, Options]] = {
    "implicit TLS": ({"tls": "implicit"}, {"server": f"{UPSTREAM}:465", "tls_verified": True}),
    "at least TLS 1.3": ({"tls_min_version": "TLSv1.3"}, {"tls_version": "TLSv1.3"}),
    "only TLS 1.2 offered": ({"port": 2588}, {"tls_version": "TLSv1.2", "tls_verified": True}),
    "address with tls_server_name": ({"host": "ADDRESS", "tls_server_name": UPSTREAM}, {"tls_verified": True}),
    "pin with CA": ({"pinned_certificates": [WRONG_PIN, "PIN"]}, {"tls_verified": True}),
    "pin only": ({"host": "ADDRESS", "pinned_certificates": ["PIN"], "validate_certs": False}, {}),
    "client certificate": ({"port": 2587, "CERTIFICATE": True}, {"auth_mechanism": None, "tls_verified": True}),
    "TLS off": ({"host": MX, "tls": "none", "password": None}, {"tls_version": None, "tls_verified": False}),
    "opportunistic TLS": ({"host": MX, "tls": None, "password": None}, {"server": f"{MX}:25", "tls_verified": True}),
    "LMTP": ({"host": MX, "port": 24, "lmtp": True, "tls": "none", "password": None}, {"tls_version": None}),
    "LMTP over TLS": ({"host": MX, "port": 24, "lmtp": True, "password": None}, {"tls_verified": True}),
}
#: Options, the stage of the failure, and words of the error.
TLS_REFUSALS: dict[str, tuple[Options, str, list[str]]] = {
    "wrong pin with CA": ({"pinned_certificates": [WRONG_PIN]}, "tls", ["not in pinned_certificates"]),
    "wrong pin only": (
        {"pinned_certificates": [WRONG_PIN], "validate_certs": False},
        "tls",
        ["not in pinned_certificates"],
    ),
    "address only": ({"host": "ADDRESS"}, "tls", ["certificate was refused", "ADDRESS"]),
    "another tls_server_name": ({"tls_server_name": MX}, "tls", ["certificate was refused", MX]),
    "TLS 1.3 not offered": (
        {"port": 2588, "tls_min_version": "TLSv1.3"},
        "tls",
        ["no TLS version in common", "tls_min_version"],
    ),
    "client certificate missing": ({"port": 2587, "password": None}, "ehlo", ["certificate", "client_cert"]),
    "mechanism not offered": (
        {"auth_mechanism": "SCRAM-SHA-256-PLUS"},
        "auth",
        ["SCRAM-SHA-256-PLUS", "SCRAM-SHA-256"],
    ),
    "login not offered": ({"host": MX, "port": 25}, "auth", [MX, "Servers usually offer logins on ports 587"]),
    "REQUIRETLS not offered": ({"require_tls": True}, "mail", ["REQUIRETLS"]),
}
MECHANISMS = ("PLAIN", "LOGIN", "CRAM-MD5", "SCRAM-SHA-1", "SCRAM-SHA-256")


@pytest.fixture(scope="module")
def outcomes(
    send_each: t.Callable[[str, list[Options]], list[Result]],
    probe: t.Callable[..., t.Any],
    login: Options,
    keys: Options,
    nonce: str,
) -> dict[str, Result]:
    """Result of each send, by its name."""
    words = {"ADDRESS": probe("client", "resolve", host=UPSTREAM), "PIN": pin(UPSTREAM)}
    ways = {name: way[0] for name, way in (TLS_WAYS | TLS_REFUSALS).items()}
    ways |= {mechanism: {"auth_mechanism": mechanism} for mechanism in MECHANISMS}
    each = []
    for name, way in ways.items():
        options = {**login, **way, "subject": f"{nonce} {name}"}
        if options.pop("CERTIFICATE", False):
            options |= {**keys, "password": None}
        if options["password"] is None:
            del options["password"], options["username"]
        if "pinned_certificates" in options:
            options["pinned_certificates"] = [words.get(one, one) for one in options["pinned_certificates"]]
        options["host"] = words.get(options["host"], options["host"])
        each.append({option: value for option, value in options.items() if value is not None})
    results = send_each("client", each)
    return dict(zip(ways, results, strict=True))


@pytest.fixture(scope="module")
def arrived(outcomes: dict[str, Result], find_mail: FindMail, nonce: str) -> dict[str, EmailMessage]:
    """Messages in the mailbox, by subject."""
    found = find_mail(f'SUBJECT "{nonce}"', count=len(TLS_WAYS) + len(MECHANISMS))
    messages = {parse(raw)["Subject"].removeprefix(f"{nonce} "): parse(raw) for raw in found}
    assert len(messages) == len(found), "a message arrived twice"
    return messages


@pytest.mark.parametrize("name", [*TLS_WAYS, *MECHANISMS])
def test_the_message_arrives_over_the_expected_connection(
    outcomes: dict[str, Result], arrived: dict[str, EmailMessage], name: str
) -> None:
    result = outcomes[name]
    assert result["failed"] is False, result["msg"]
    expected = TLS_WAYS[name][1] if name in TLS_WAYS else {"auth_mechanism": name}
    assert {field: result["sessions"][-1][field] for field in expected} == expected
    assert arrived[name]["Message-ID"] == result["message_id"]


@pytest.mark.parametrize("name", TLS_REFUSALS)
def test_the_failure_names_its_stage_and_sends_nothing(outcomes: dict[str, Result], name: str) -> None:
    _options, stage, words = TLS_REFUSALS[name]
    result = outcomes[name]
    assert result["failed"] is True, result
    assert result["stage"] == stage, result["msg"]
    assert result["msg"].startswith("Nothing was sent"), result["msg"]
    wanted = [word for word in words if word != "ADDRESS"]
    assert not [word for word in wanted if word not in result["msg"]], result["msg"]


def test_no_failed_message_arrives(arrived: dict[str, EmailMessage]) -> None:
    assert set(arrived) == {*TLS_WAYS, *MECHANISMS}


def test_the_received_header_confirms_certificate_login_and_protocol(arrived: dict[str, EmailMessage]) -> None:
    """The server records the client's certificate, the login and LMTP."""
    traces = {name: " ".join(" ".join(message.get_all("Received", [])).split()) for name, message in arrived.items()}
    assert 'Client CN "client.sender.test"' in traces["client certificate"]
    assert "(verified OK)" in traces["client certificate"]
    assert f"(Authenticated sender: {LOGIN})" in traces["SCRAM-SHA-256"]
    assert "with LMTP" in traces["LMTP"]
    assert "TLS" in traces["LMTP over TLS"]
    assert "with ESMTP " in traces["TLS off"]


def test_lmtp_over_a_unix_socket_reports_each_recipient(
    send: t.Callable[..., Result], find_mail: FindMail, hosts: dict[str, t.Any], nonce: str
) -> None:
    """Runs on the host itself; LMTP has one reply for each recipient."""
    result = send(
        "mx",
        unix_socket="/run/dovecot/lmtp",
        lmtp=True,
        tls="none",
        **{**LETTER, "to": ["inbox@dest.test", "ops@dest.test", "nobody@dest.test"]},
        subject=f"{nonce} socket",
        partial="ok",
    )
    assert result["failed"] is False, result["msg"]
    assert [one["status"] for one in result["recipients"]] == ["sent", "sent", "refused"], result["recipients"]
    assert result["recipients"][0]["text"] != result["recipients"][1]["text"]
    for mailbox in ("inbox@dest.test", "ops@dest.test"):
        assert len(find_mail(f'SUBJECT "{nonce} socket"', mailbox=mailbox)) == 1


def test_a_requested_delivery_notification_arrives(
    send: t.Callable[..., Result], find_mail: FindMail, nonce: str
) -> None:
    """The server that delivers to the mailbox returns the requested DSN with its envelope ID."""
    result = send(
        "client",
        host=MX,
        **{"from": "ops@dest.test", "to": "Jo <inbox@dest.test>"},
        subject=f"{nonce} notify",
        dsn={"notify": ["success"], "envelope_id": "build 4711+"},
    )
    assert result["failed"] is False, result["msg"]
    [raw] = find_mail(f'BODY "{result["message_id"]}"', mailbox="ops@dest.test")
    report = parse(raw)
    assert report["Return-Path"] == "<>"
    assert (report.get_content_type(), report.get_param("report-type")) == ("multipart/report", "delivery-status")
    _text, status, headers = report.iter_parts()
    whole, recipient = t.cast("list[EmailMessage]", t.cast("EmailMessage", status).get_payload())
    assert whole["Original-Envelope-Id"] == "build 4711+"
    assert recipient["Original-Recipient"] == "rfc822;inbox@dest.test"
    assert recipient["Action"] == "delivered"
    assert headers.get_content_type() == "text/rfc822-headers"


@pytest.fixture(scope="module")
def answers(
    send_each: t.Callable[[str, list[Options]], list[Result]], hosts: dict[str, t.Any], nonce: str
) -> dict[str, Result]:
    """Results of sends that the destination does not simply accept."""
    hosts["client"].check_output("truncate -s 35M /srv/large")
    again = {"attempts": 3, "retry_delay": 1.5}
    each: dict[str, Options] = {
        "too large": {"attachments": [{"path": "/srv/large"}]},
        "greylisted": {"to": ["grey@dest.test", "ops@dest.test"], **again},
        "never ready": {"to": ["later@dest.test"], "attempts": 2, "retry_delay": 0.1},
        "batch": {
            "messages": [
                {"to": "inbox@dest.test"},
                {"to": ["nobody@dest.test", "inbox@dest.test"]},
                {"to": "x@dest.test"},
            ],
            "partial": "ok",
        },
        "checked": {"to": ["inbox@dest.test", "nobody@dest.test"], "check": "recipients"},
        "checked and good": {"to": ["inbox@dest.test", "ops@dest.test"], "check": "recipients"},
    }
    common = {"host": MX, **LETTER}
    results = send_each("client", [{**common, "subject": f"{nonce} {name}", **way} for name, way in each.items()])
    return dict(zip(each, results, strict=True))


def test_a_message_above_the_size_limit_is_not_sent(answers: dict[str, Result]) -> None:
    result = answers["too large"]
    assert result["failed"] is True
    assert result["recipients"][0]["stage"] == "mail"
    assert f"the message has {result['size']} octets, the server accepts at most 45000000" in result["msg"]


def test_greylisting_is_overcome_by_a_further_attempt(
    answers: dict[str, Result], find_mail: FindMail, nonce: str
) -> None:
    """Deliver to the greylisted recipient with a later attempt, and to the other one exactly once."""
    result = answers["greylisted"]
    assert result["failed"] is False, result["msg"]
    assert result["attempts_made"] > 1
    assert len(find_mail(f'SUBJECT "{nonce} greylisted"')) == 1
    assert len(find_mail(f'SUBJECT "{nonce} greylisted"', mailbox="ops@dest.test")) == 1


def test_a_message_deferred_at_each_attempt_fails(answers: dict[str, Result]) -> None:
    result = answers["never ready"]
    [recipient] = result["recipients"]
    assert result["failed"] is True
    assert (recipient["status"], recipient["code"], recipient["enhanced_code"]) == ("deferred", 451, "4.3.0")
    assert result["attempts_made"] == 2
    assert "The mailbox is being moved" in result["msg"]


def test_each_message_of_a_batch_has_its_own_status(
    answers: dict[str, Result], find_mail: FindMail, nonce: str
) -> None:
    result = answers["batch"]
    statuses = [[one["status"] for one in message["recipients"]] for message in result["messages"]]
    assert statuses == [["sent"], ["refused", "sent"], ["refused"]]
    assert result["summary"] == {"sent": 2, "refused": 2, "deferred": 0, "unknown": 0}
    assert len(find_mail(f'SUBJECT "{nonce} batch"', count=2)) == 2


def test_a_check_of_recipients_sends_nothing(answers: dict[str, Result], find_mail: FindMail, nonce: str) -> None:
    assert answers["checked"]["failed"] is True
    assert "nobody@dest.test" in answers["checked"]["msg"]
    assert "inbox@dest.test" not in answers["checked"]["msg"]
    assert answers["checked and good"]["failed"] is False, answers["checked and good"]["msg"]
    assert find_mail(f'SUBJECT "{nonce} checked"', seconds=0) == []


def test_many_messages_arrive_exactly_once(
    send: t.Callable[..., Result], find_mail: FindMail, hosts: dict[str, t.Any], nonce: str
) -> None:
    """Send over three connections; a second run with the same journal has nothing to send."""
    count = 300
    messages = [{"subject": f"{nonce} many", "body": str(number)} for number in range(count)]
    journal = f"/srv/{nonce}.journal"
    options = {"host": MX, **LETTER, "messages": messages, "connections": 3, "journal": journal}
    result = send("client", **options)
    assert result["failed"] is False, result["msg"]
    assert result["summary"]["sent"] == count
    assert len(result["sessions"]) == 3
    again = send("client", **options)
    assert again["failed"] is False, again["msg"]
    assert {message["attempts_made"] for message in again["messages"]} == {0}
    found = [parse(raw) for raw in find_mail(f'SUBJECT "{nonce} many"', count=count, seconds=60)]
    copies = collections.Counter(message["Message-ID"] for message in found)
    assert copies == collections.Counter(message["message_id"] for message in result["messages"])
    assert sorted(int(message.get_content()) for message in found) == list(range(count))
    assert hosts["client"].file(journal).mode == 0o600

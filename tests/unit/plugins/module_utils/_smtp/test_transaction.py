# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Commands and content on the wire: content arrives unchanged, and each command stays one line for any input.

Covers _smtp/transaction.py, the envelope of _smtp/delivery.py, and the EHLO name and login in commands.
"""

from __future__ import annotations

import contextlib
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.mailops.smtp.plugins.module_utils._sasl.credentials import Credentials
from ansible_collections.mailops.smtp.plugins.module_utils._smtp.capabilities import Capabilities
from ansible_collections.mailops.smtp.plugins.module_utils._smtp.delivery import DsnRequest, Envelope
from ansible_collections.mailops.smtp.plugins.module_utils._smtp.session import SmtpSession
from ansible_collections.mailops.smtp.plugins.module_utils._smtp.settings import InvalidSettings, ServerSettings
from ansible_collections.mailops.smtp.plugins.module_utils._smtp.tls import TlsMode, TlsPolicy
from ansible_collections.mailops.smtp.plugins.module_utils._smtp.transaction import mail_command, rcpt_command
from ansible_collections.mailops.smtp.tests.fault.peer import Peer
from ansible_collections.mailops.smtp.tests.fault.walk import FORMS

PLAINTEXT = TlsPolicy(TlsMode.NONE)
ALL = Capabilities(dict.fromkeys(("SIZE", "DSN", "SMTPUTF8", "8BITMIME", "REQUIRETLS"), ()))

#: Lines that often begin and end with dots; no bare CR or LF (RFC 5321 section 2.3.8).
LINE = st.one_of(
    st.sampled_from([b"", b".", b"..", b". ", b".x", b"x.", b"QUIT", b"MAIL FROM:<x@y.test>"]),
    st.binary(max_size=30).map(lambda line: line.replace(b"\r", b"").replace(b"\n", b"")),
)
CONTENT = st.lists(LINE, min_size=1, max_size=12).map(lambda lines: b"\r\n".join([*lines, b""]))
#: Text made of the parts of a command injection.
HOSTILE = st.lists(
    st.sampled_from(
        ["\r\n", "\n", "\r", "\0", "RCPT TO:<x@evil.test>", ">", "<", " ", "a", "@", "b.test", "ü", "\x85", '"']
    )
    | st.text(max_size=5),
    max_size=8,
).map("".join)


@pytest.mark.parametrize("form", FORMS)
def test_any_content_arrives_unchanged(form: str) -> None:
    with Peer(extensions=[*FORMS[form], "8BITMIME"]) as peer:
        server = ServerSettings("localhost", peer.port, PLAINTEXT, timeout=5, final_timeout=5)
        with SmtpSession(server) as session:

            @settings(max_examples=60)
            @given(CONTENT)
            def arrives(content: bytes) -> None:
                result = session.deliver(Envelope("a@a.test", ("b@b.test",), content))
                assert [one.status.value for one in result.recipients] == ["sent"]
                received = peer.receipts[-1].content
                if "chunking" not in form:
                    assert received.endswith(b"\r\n.\r\n")
                    received = re.sub(rb"(?m)^\.", b"", received[:-3])
                assert received == content

            arrives()
    assert {command.split(" ")[0] for command in peer.commands} <= {"EHLO", "MAIL", "RCPT", "DATA", "BDAT", "QUIT"}


def test_offered_extensions_are_used() -> None:
    asked = DsnRequest(("success", "failure"), full=True, envelope_id="a+b=c d")
    envelope = Envelope("f@a.test", ("r@b.test",), "é\r\n".encode(), dsn=asked, require_tls=True)
    extensions = ["PIPELINING", "CHUNKING", "8BITMIME", "DSN", "REQUIRETLS", "SIZE"]
    with (
        Peer(extensions=extensions) as peer,
        SmtpSession(ServerSettings("localhost", peer.port, PLAINTEXT)) as session,
    ):
        assert session.deliver(envelope).recipients[0].status.value == "sent"
    assert peer.commands[1:4] == [
        "MAIL FROM:<f@a.test> SIZE=4 BODY=8BITMIME REQUIRETLS RET=FULL ENVID=a+2Bb+3Dc+20d",
        "RCPT TO:<r@b.test> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;r@b.test",
        "BDAT 4 LAST",
    ]
    assert peer.messages == ["é\r\n".encode()]


@pytest.mark.parametrize(("missing", "words"), [("8BITMIME", "8BITMIME"), ("REQUIRETLS", "REQUIRETLS")])
def test_message_that_needs_a_missing_extension_is_refused_before_mail(missing: str, words: str) -> None:
    envelope = Envelope("f@a.test", ("r@b.test",), "é\r\n".encode(), require_tls=True)
    extensions = [name for name in ("8BITMIME", "REQUIRETLS") if name != missing]
    with Peer(extensions=extensions) as peer, SmtpSession(ServerSettings("localhost", peer.port, PLAINTEXT)) as session:
        (result,) = session.deliver(envelope).recipients
    assert result.status.value == "refused"
    assert words in result.problem
    assert not any(command.startswith("MAIL") for command in peer.commands)


@pytest.mark.parametrize("address", ["a\r\nRCPT TO:<b>", "a\0b", "a>b", "<a"])
def test_address_that_could_inject_a_command_is_refused(address: str) -> None:
    with pytest.raises(ValueError, match="is not a valid address: it contains a control character or an angle bracket"):
        Envelope("from@a.test", (address,), b"x\r\n")


@given(sender=HOSTILE, recipient=HOSTILE, envelope_id=HOSTILE)
def test_any_address_is_refused_or_stays_in_its_command(sender: str, recipient: str, envelope_id: str) -> None:
    """RFC 5321 section 2.3.8."""
    try:
        envelope = Envelope(sender, (recipient,), b"x\r\n", dsn=DsnRequest(envelope_id=envelope_id), require_tls=True)
        commands = [mail_command(envelope, ALL), rcpt_command(envelope, recipient, ALL)]
    except (ValueError, UnicodeError):
        return
    for command in commands:
        assert command.endswith(b"\r\n")
        assert not re.search(rb"[\r\n\0]", command[:-2])
        path = re.split(rb" (?:ENVID|ORCPT)=", command)[0]  # xtext may contain them
        assert path.count(b"<") == path.count(b">") == 1


@given(HOSTILE)
def test_xtext_decodes_to_the_original_text(text: str) -> None:
    """RFC 3461 section 4."""
    with contextlib.suppress(UnicodeEncodeError):
        encoded = DsnRequest(envelope_id=text).mail_parameters().partition(" ENVID=")[2]
        assert re.fullmatch(r"(?:[!-*,-<>-~]|\+[0-9A-F]{2})*", encoded)
        decoded = re.sub(rb"\+([0-9A-F]{2})", lambda octet: bytes.fromhex(octet.group(1).decode()), encoded.encode())
        assert decoded.decode() == text


@given(HOSTILE)
def test_ehlo_name_is_refused_or_one_word(name: str) -> None:
    try:
        server = ServerSettings("localhost", ehlo_name=name)
    except InvalidSettings:
        return
    assert re.fullmatch(r"[!-~]*", server.ehlo_name)


@settings(max_examples=40)
@given(username=HOSTILE.filter(bool), password=HOSTILE)
def test_any_login_is_refused_or_one_line(username: str, password: str) -> None:
    """The commands have the same form as with any other login."""
    with contextlib.suppress(Exception), Peer(extensions=["AUTH PLAIN"]) as peer:
        login = Credentials(username, password)
        server = ServerSettings("localhost", peer.port, PLAINTEXT, login, "me.test", allow_cleartext_login=True)
        with SmtpSession(server):
            pass
    assert all(re.fullmatch(r"(?:EHLO me\.test|AUTH PLAIN [A-Za-z0-9+/=]+|QUIT)", line) for line in peer.commands)

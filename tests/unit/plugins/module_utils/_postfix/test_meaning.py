# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Log lines are explained: those of recorded logs, and others that Postfix can log."""

from __future__ import annotations

import re

import pytest

from ansible_collections.mailops.smtp.plugins.module_utils._postfix.log import Hop, trace
from ansible_collections.mailops.smtp.plugins.module_utils._postfix.meaning import KNOWN, explain
from ansible_collections.mailops.smtp.plugins.module_utils._providers.presets import find
from ansible_collections.mailops.smtp.tests.unit.plugins.module_utils._postfix.test_log import (
    RELEASES,
    named,
    read_log,
)


def hop(text: str, status: str = "deferred", relay: str = "smtp.p.test[192.0.2.1]:587", *complaints: str) -> Hop:
    return Hop("4dDwwB5hD2z4w", "a@b.test", "", relay, "0/0/0/0", "4.0.0", status, text, "", None, "", "", complaints)


#: Name of a message in the logs, words of the advice, whether the failure lasts.
LOGGED: list[tuple[str, str, bool]] = [
    ("badauth", "did not accept user name and password", True),
    ("block", "block list", False),
    ("busy", "limits this host's address", False),
    ("denied", "does not relay mail from this host", True),
    ("denied5", "does not relay mail from this host to this recipient", True),
    ("drop", "the server may have it", False),
    ("grey", "greylisting", False),
    ("handshake", "no TLS version or cipher in common", False),
    ("hold", "is on hold", True),
    ("loop", "is this host itself", True),
    ("nohost", "name server does not answer", False),
    ("nomech", "libsasl2-modules", True),
    ("notls", "the server does not offer it", True),
    ("notransport", "master.cf has no such service", True),
    ("refused", "No server listens on that port", False),
    ("size", "larger than the next server accepts", True),
    ("stall", "the server sends no greeting", False),
    ("storage", "out of space", False),
    ("unknown", "There is no such mailbox", True),
    ("unreach", "cannot be reached", False),
    ("untrusted", "does not trust the authority", True),
    ("wrongname", "does not carry the name", True),
    ("ok", "", False),
]


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize(("name", "words", "lasting"), LOGGED)
def test_recorded_line_is_explained(release: str, name: str, words: str, lasting: bool) -> None:
    lines = read_log(release)
    last = trace(lines, named(lines, name)).hops[0]
    meaning = explain(last)
    assert words in meaning.advice
    assert bool(meaning.advice) == bool(words)
    assert meaning.lasting is lasting


_NOT_FOUND = "Host or domain name not found. Name service error for name=nosuch.test"
_UNVERIFIED = "<a@b.test>: Recipient address rejected: unverified address: in progress"
SAID: list[tuple[str, str, bool]] = [
    (f"{_NOT_FOUND} type=MX: Host not found", "no such name", True),
    (f"{_NOT_FOUND} type=A: Host not found, try again", "not answer", False),
    ("unable to look up host nosuch.test: Name or service not known", "The DNS has no such name", True),
    ("Domain example.com does not accept mail (nullMX)", "accepts no mail", True),
    ("connect to mx.b.test[192.0.2.1]:25: Connection timed out", "cannot be reached", False),
    ("SASL authentication failed; server s[192.0.2.1] said: 535 5.7.8 no", "user name", True),
    ("connect to mx.b.test[2001:db8::1]:25: No route to host", "inet_protocols", False),
    ("TLS is required, but our TLS engine is unavailable", "TLS does not start on this host", True),
    ("Server certificate not trusted", "openssl s_client", True),
    ("lost connection with s[192.0.2.1] while receiving the initial server greeting", "closed the connection", False),
    ("lost connection with smtp.p.test[192.0.2.1] while sending RCPT TO", "ended the session", False),
    ("conversation with s[192.0.2.1] timed out while sending message body", "MTU", False),
    ("unknown mail transport error", "master.cf", True),
    ("too many hops", "in a loop", True),
    ("mail system configuration error", "cannot use its configuration", True),
    ("queue file write error", "Free space", False),
    ("unknown user: \"nobody\"", "no such mailbox", True),
    ("local delivery is disabled", "stores no mail", True),
    ("SMTPUTF8 is required, but was not offered by host smtp.p.test[192.0.2.1]", "only ASCII addresses", True),
    ("Command died with status 127: \"/usr/bin/filter\"", "run it by hand", True),
    (f"host b[192.0.2.1] said: 450 4.1.1 {_UNVERIFIED} (in reply to RCPT TO command)", "verifies the recipient", False),
    ("a text that is not in the table", "", False),
]  # fmt: skip


@pytest.mark.parametrize(("text", "words", "lasting"), SAID)
def test_text_of_postfix_is_explained(text: str, words: str, lasting: bool) -> None:
    meaning = explain(hop(text))
    assert words in meaning.advice
    assert bool(meaning.advice) == bool(words)
    assert meaning.lasting is lasting


def test_refused_sender_names_the_switch_of_the_role() -> None:
    """Even if the sender's address contains a word of another reply."""
    reply = "553 5.7.1 <root@relay.b.test>: Sender address rejected: not owned by user me@p.test"
    advice = explain(hop(f"host smtp.p.test[192.0.2.1] said: {reply} (in reply to RCPT TO command)")).advice
    assert advice.startswith("This login (username) may not use that sender")
    assert advice.endswith("relay_upstream.sender: login does so for all mail.")


def test_suspended_delivery_gives_the_earlier_cause_and_how_to_retry() -> None:
    earlier = "connect to mx.b.test[192.0.2.1]:25: Connection refused"
    advice = explain(hop(f"delivery temporarily suspended: {earlier}")).advice
    assert advice.startswith(explain(hop(earlier)).advice)
    assert "postqueue -f" in advice


def test_provider_is_recognised_by_its_host() -> None:
    said = "SASL authentication failed; server smtp.fastmail.com[192.0.2.1] said: 535 5.7.8 no"
    provider = find("fastmail")
    assert provider
    assert explain(hop(said)).advice == provider.login_advice
    assert explain(hop(said.replace("fastmail", "sender"))).advice != provider.login_advice


def test_joined_lines_of_a_reply_are_one_reply() -> None:
    said = (
        "host gmail-smtp-in.l.google.com[192.0.2.1] said: 550-5.1.1 The email account that you tried to reach does not"
        " exist. Please try 550-5.1.1 double-checking the recipient's email address 550 5.1.1 x-gsmtp (in reply to RCPT"
        " TO command)"
    )
    assert "spelling" in explain(hop(said, "bounced")).advice


@pytest.mark.parametrize(
    ("complaint", "words"),
    [
        (
            "certificate verification failed for s[192.0.2.1]:25: certificate has expired",
            "server's certificate has expired",
        ),
        (
            "certificate verification failed for s[192.0.2.1]:25: certificate is not yet valid",
            "is not valid yet: check this host's clock",
        ),
        ("certificate verification failed for s[192.0.2.1]:25: unable to get local issuer certificate", "authority"),
        (
            "server certificate verification failed for s[192.0.2.1]:25: num=62:hostname mismatch",
            "does not carry the name",
        ),
    ],
)
def test_earlier_complaint_takes_precedence(complaint: str, words: str) -> None:
    meaning = explain(hop("Server certificate not verified", "deferred", "s[192.0.2.1]:25", complaint))
    assert words in meaning.advice
    assert meaning.lasting


@pytest.mark.parametrize("known", KNOWN, ids=lambda known: known.text[:30])
def test_advice_is_a_sentence_with_a_remedy(known: tuple[str, str, bool]) -> None:
    text, advice, _lasting = known
    re.compile(text)
    assert re.search(r"[:.,] .+\.\Z", advice)

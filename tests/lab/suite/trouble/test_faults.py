# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults of the upstream, for single messages and for all connections.

In each case, an accepted message arrives once or is returned to its sender with the reason, which the log has too.
"""

from __future__ import annotations

import typing as t
import uuid

import pytest

from ansible_collections.mailops.smtp.tests.lab.suite.trouble.conftest import Put, pem
from ansible_collections.mailops.smtp.tests.lab.suite.trouble.upstream import (
    FOLDER,
    HOST,
    Arrival,
    FaultyUpstream,
    MailLog,
)

RELAY, RECIPIENT = "relay.sender.test", "somebody@dest.test"
Probe = t.Callable[..., t.Any]

#: Stage, fault, and words of the log. After a 5xx the message is returned; otherwise it arrives once.
FOR_ONE_MESSAGE: dict[str, tuple[str, str, str]] = {
    "mail-451": ("MAIL", "451 4.3.0 mail not now", "said: 451 4.3.0 mail not now (in reply to MAIL FROM command)"),
    "mail-550": ("MAIL", "550 5.7.1 mail never", "said: 550 5.7.1 mail never (in reply to MAIL FROM command)"),
    "mail-stall": ("MAIL", "STALL", "timed out while sending MAIL FROM"),
    "mail-drop": ("MAIL", "CLOSE", "lost connection with smtp.provider.test"),
    "rcpt-450": ("RCPT", "450 4.2.0 rcpt not now", "said: 450 4.2.0 rcpt not now (in reply to RCPT TO command)"),
    "rcpt-421": ("RCPT", "421 4.3.2 rcpt shut down", "421 4.3.2 rcpt shut down"),
    "rcpt-550": ("RCPT", "550 5.1.1 rcpt never", "said: 550 5.1.1 rcpt never (in reply to RCPT TO command)"),
    "rcpt-552": ("RCPT", "552 5.2.2 rcpt is full", "said: 552 5.2.2 rcpt is full (in reply to RCPT TO command)"),
    "rcpt-reset": ("RCPT", "RESET", "lost connection with smtp.provider.test"),
    "data-451": ("DATA", "451 4.3.0 data not now", "said: 451 4.3.0 data not now (in reply to DATA command)"),
    "data-554": ("DATA", "554 5.7.1 data never", "said: 554 5.7.1 data never (in reply to DATA command)"),
    "data-drop": ("DATA", "CLOSE", "lost connection with smtp.provider.test"),
    "body-stall": ("BODY", "STALL", "while sending end of data"),
    "body-reset": ("BODY", "RESET", "lost connection with smtp.provider.test"),
    "end-452": (".", "452 4.3.1 end not now", "said: 452 4.3.1 end not now (in reply to end of DATA command)"),
    "end-554": (".", "554 5.6.0 end never", "said: 554 5.6.0 end never (in reply to end of DATA command)"),
    "end-421": (".", "421 4.3.2 end shut down", "421 4.3.2 end shut down"),
    "end-stall": (".", "STALL", "timed out while sending end of data -- message may be sent more than once"),
    "end-drop": (".", "CLOSE", "while sending end of data -- message may be sent more than once"),
}
#: The upstream accepts the message, but its reply is lost: only here SMTP must send it a second time (RFC 1047).
IN_DOUBT: dict[str, tuple[str, str, str]] = {
    "taken-drop": (".", "ACCEPT_AND_CLOSE", "while sending end of data -- message may be sent more than once"),
}


class Outcome(t.NamedTuple):
    """The outcome of the messages of all cases."""

    arrivals: list[Arrival]
    log: str

    def arrived(self, case: str) -> int:
        """Return how often the upstream accepted the message of this case."""
        return len([one for one in self.arrivals if one.subject == f"the case {case}"])

    def bounces(self, case: str) -> list[str]:
        """Return the bounces of this case to its sender."""
        return [
            one.content
            for one in self.arrivals
            if (one.sender, one.recipients) == ("", [f"{case}@sender.test"]) and f"the case {case}" in one.content
        ]


@pytest.fixture(scope="module")
def outcome(upstream: FaultyUpstream, hosts: dict[str, t.Any], probe: Probe) -> Outcome:
    """Send the messages of all cases at once, each from its own sender; transient faults occur twice."""
    cases = {**FOR_ONE_MESSAGE, **IN_DOUBT}
    upstream.recover()
    journal = MailLog(hosts["relay"])
    rules: list[dict[str, t.Any]] = [
        {"stage": stage, "do": do, "sender": f"{case}@sender.test"} for case, (stage, do, _words) in cases.items()
    ]
    for rule in rules:
        if not rule["do"].startswith("5"):
            rule["times"] = 1 if rule["sender"].startswith("taken") else 2
    upstream.ask(rules=rules, forget=True)
    messages = [[f"{case}@sender.test", RECIPIENT, f"the case {case}"] for case in cases]
    replies = probe("client", "post_each", host=RELAY, messages=messages)
    assert {code for code, _text in replies} == {250}, replies
    upstream.wait_for_empty_queue(60)
    return Outcome(upstream.taken("the case"), journal.text)


@pytest.mark.parametrize("case", FOR_ONE_MESSAGE)
def test_a_message_arrives_once_or_is_returned(outcome: Outcome, case: str) -> None:
    _stage, do, words = FOR_ONE_MESSAGE[case]
    permanent = do.startswith("5")
    assert outcome.arrived(case) == (0 if permanent else 1), outcome.log
    bounces = outcome.bounces(case)
    assert len(bounces) == (1 if permanent else 0), bounces
    assert all(do in " ".join(bounce.split()) for bounce in bounces), bounces
    assert words in outcome.log


@pytest.mark.parametrize("case", IN_DOUBT)
def test_a_message_that_may_have_arrived_is_sent_again_and_logged(outcome: Outcome, case: str) -> None:
    assert outcome.arrived(case) == 2, outcome.log
    assert outcome.bounces(case) == []
    assert IN_DOUBT[case][2] in outcome.log


OTHER_NAME, EXPIRED, NOT_YET = f"{FOLDER}/other-name.pem", f"{FOLDER}/expired.pem", f"{FOLDER}/not-yet.pem"
UNTRUSTED = "Server certificate not"
#: Faults of every connection, and the words of the log.
FOR_ALL: dict[str, tuple[dict[str, t.Any], str]] = {
    "down": ({"listen": False}, "Connection refused"),
    "greeting 421": ({"rules": [("GREETING", "421 4.3.2 come back later")]}, "421 4.3.2 come back later"),
    "greeting 554": ({"rules": [("GREETING", "554 5.3.2 no service here")]}, "554 5.3.2 no service here"),
    "greeting stalls": ({"rules": [("GREETING", "STALL")]}, "timed out while receiving the initial server greeting"),
    "greeting dropped": ({"rules": [("GREETING", "CLOSE")]}, "while receiving the initial server greeting"),
    "EHLO dropped": ({"rules": [("EHLO", "RESET")]}, "while performing the EHLO handshake"),
    "STARTTLS refused": ({"rules": [("STARTTLS", "454 4.7.0 no TLS now")]}, "454 4.7.0 no TLS now"),
    "STARTTLS stripped": ({"certificate": None}, "TLS is required, but was not offered by host smtp.provider.test"),
    "TLS dropped": ({"rules": [("TLS", "CLOSE")]}, "Cannot start TLS"),
    "login refused": ({"rules": [("AUTH", "535 5.7.8 wrong password")]}, "535 5.7.8 wrong password"),
    "login not now": ({"rules": [("AUTH", "454 4.7.0 ask again")]}, "454 4.7.0 ask again"),
    "certificate of another name": ({"certificate": OTHER_NAME}, UNTRUSTED),
    "certificate expired": ({"certificate": EXPIRED}, "certificate has expired"),
    # stands for a clock that is slow: containers share the kernel's clock, which a test must not set
    "certificate not yet valid": ({"certificate": NOT_YET}, "certificate not yet valid"),
}


@pytest.fixture(scope="module")
def _certificates(upstream: FaultyUpstream, put: Put) -> None:
    """Put the invalid certificates on the upstream."""
    del upstream
    put("upstream", OTHER_NAME, pem("other.provider.test"))
    put("upstream", EXPIRED, pem(HOST, begins=-2, ends=-1))
    put("upstream", NOT_YET, pem(HOST, begins=1, ends=2))


@pytest.mark.usefixtures("_certificates")
@pytest.mark.parametrize("case", FOR_ALL)
def test_a_message_stays_queued_until_the_upstream_works(
    upstream: FaultyUpstream, probe: Probe, journal: MailLog, case: str
) -> None:
    """No mail, and without the required TLS no login, crosses a faulty connection."""
    wrong, words = FOR_ALL[case]
    nonce = uuid.uuid4().hex
    rules = [{"stage": stage, "do": do} for stage, do in wrong.get("rules", [])]
    upstream.ask(forget=True, **{**wrong, "rules": rules})
    reply = probe("client", "post_each", host=RELAY, messages=[["app@sender.test", RECIPIENT, nonce]])[0]
    assert reply[0] == 250, reply
    journal.wait(words)
    commands = upstream.ask()["commands"]
    assert not [command for command in commands if command.startswith(("MAIL", "DATA"))], commands
    if case == "STARTTLS stripped" or "certificate" in case:
        assert not [command for command in commands if command.startswith("AUTH")], commands
    upstream.recover()
    upstream.wait_for_empty_queue()
    assert len(upstream.taken(nonce)) == 1

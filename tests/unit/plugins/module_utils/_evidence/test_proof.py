# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An attempt to log in, taken from what smtp_info saw."""

from __future__ import annotations

import dataclasses
import typing as t

import pytest

from ansible_collections.mailops.smtp.plugins.module_utils._evidence.document import Unknown
from ansible_collections.mailops.smtp.plugins.module_utils._evidence.proof import Attempt, login_proof
from ansible_collections.mailops.smtp.plugins.module_utils._evidence.smtp import LoginFacts
from ansible_collections.mailops.smtp.tests.unit.support.relay_evidence import answer, smtp

RIGHT, REFUSED = LoginFacts(True, "PLAIN", answer(235)), LoginFacts(False, "PLAIN", answer(535))
#: The facts of smtp_info and what is unknown -> codes of the login and of the mail, and what is unknown of them.
CASES: dict[str, tuple[dict[str, t.Any], dict[str, str], tuple[int | None, int | None], dict[str, str]]] = {
    "accepted": ({"login": RIGHT, "sender": answer(250), "recipient": answer(250)}, {}, (235, 250), {}),
    "sender refused": ({"login": RIGHT, "sender": answer(553)}, {}, (235, 553), {}),
    "recipient refused": ({"login": None, "sender": answer(250), "recipient": answer(554)}, {}, (None, 554), {}),
    "login refused": (
        {"login": REFUSED},
        {"recipient": "Not reached."},
        (535, None),
        {"logins[4].mail": "Not reached."},
    ),
    "no recipient": ({"login": RIGHT, "sender": answer(250)}, {}, (235, None), {}),
    "time-out": (
        {"login": None},
        {"login": "A time-out.", "sender": "Not reached.", "recipient": "Not reached."},
        (None, None),
        {"logins[4].login": "A time-out.", "logins[4].mail": "Not reached."},
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_login_proof(case):
    facts, unknown, codes, expected = CASES[case]
    proof, missing = login_proof(Attempt.RIGHT, smtp(587, unknown, **facts), "app", "app@example.test", 4)
    assert (proof.login and proof.login.code, proof.mail and proof.mail.code) == codes
    assert (proof.port, proof.attempt, proof.user, proof.sender) == (587, Attempt.RIGHT, "app", "app@example.test")
    assert missing == [Unknown(path, reason) for path, reason in expected.items()]


def test_unix_socket_takes_no_logins():
    evidence = smtp(587)
    socket = dataclasses.replace(evidence, facts=dataclasses.replace(evidence.facts, port=None))
    with pytest.raises(ValueError, match="expected a port"):
        login_proof(Attempt.RIGHT, socket, "app", None, 0)

# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The witness's tests: what a host must do, seen without the evidence, the judge or any code of the collection."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.mailops.smtp.tests.compliance import witness

pytestmark = pytest.mark.witness

#: Mail ports; what else a host serves is not judged here.
_MAIL = {25, 465, 587, 2525}


def seen(observed: witness.Observed, what: str) -> t.Any:
    """What was seen, or a skip with the reason."""
    try:
        return observed[what]
    except witness.Blind as blind:
        pytest.skip(f"{what}: {blind}")


def on_each_port(observed: witness.Observed, what: str, is_right: t.Callable[[t.Any], bool]) -> dict[int, t.Any]:
    """What was seen on each submission port, which has to be right. Then a port that was not seen is a skip."""
    ports = seen(observed, "submission")
    if not ports:
        pytest.skip("the host has no port with a login")
    known, blind = {}, {}
    for port in ports:
        try:
            known[port] = observed[f"{what} {port}"]
        except witness.Blind as reason:
            blind[port] = str(reason)
    assert {port: value for port, value in known.items() if not is_right(value)} == {}
    if blind:
        pytest.skip("; ".join(f"port {port}: {reason}" for port, reason in blind.items()))
    return known


def test_ports_listen_as_declared(observed: witness.Observed) -> None:
    declared = set(seen(observed, "declared ports"))
    assert _MAIL & set(seen(observed, "ports")) == _MAIL & declared


def test_postfix_runs(observed: witness.Observed) -> None:
    assert seen(observed, "is running")


def test_only_root_writes_the_configuration(observed: witness.Observed) -> None:
    wrong = {path: one for path, one in seen(observed, "modes").items() if one[0] != "root" or one[1] & 0o022}
    assert not wrong


def test_right_login_authenticates_and_sends(observed: witness.Observed) -> None:
    if not all(on_each_port(observed, "right", lambda _sent: True).values()):
        pytest.skip("the login is right, but compliance_recipient is not given, so nothing was sent")


def test_wrong_login_gets_535(observed: witness.Observed) -> None:
    on_each_port(observed, "wrong", lambda code: code == 535)


def test_mail_without_a_login_is_refused(observed: witness.Observed) -> None:
    on_each_port(observed, "without", lambda code: code >= 500)


def test_sender_of_another_is_refused(observed: witness.Observed) -> None:
    on_each_port(observed, "other", lambda code: code >= 500)


def test_outsider_cannot_relay(observed: witness.Observed) -> None:
    assert seen(observed, "outsider") >= 500

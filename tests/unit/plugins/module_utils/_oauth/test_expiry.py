# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When a secret expires: what is said, and on which days root gets a mail."""

from __future__ import annotations

import datetime
import subprocess
import typing as t

import pytest

from ansible_collections.mailops.smtp.plugins.module_utils._oauth.expiry import End, end_of, tell_root

TODAY = datetime.date(2027, 2, 1)


def end_in(days: int) -> End:
    end = end_of((TODAY + datetime.timedelta(days)).isoformat(), "", TODAY)
    assert end is not None
    return end


@pytest.mark.parametrize(
    ("days", "soon", "words"),
    [
        (31, False, "expires on 2027-03-04, in 31 days"),
        (30, True, "expires on 2027-03-03, in 30 days"),
        (1, True, "expires on 2027-02-02, tomorrow"),
        (0, True, "expires on 2027-02-01, today"),
        (-1, True, "expired on 2027-01-31"),
    ],
)
def test_what_is_said_of_the_end(days: int, soon: bool, words: str) -> None:
    assert (end_in(days).soon, str(end_in(days))) == (soon, words)


@pytest.mark.parametrize(
    ("configured", "of_certificate", "end"),
    [
        ("", "", None),
        ("2027-02-05", "", End("secret", datetime.date(2027, 2, 5), 4)),
        ("", "2027-02-09", End("certificate", datetime.date(2027, 2, 9), 8)),
        ("2027-02-05", "2027-02-09", End("certificate", datetime.date(2027, 2, 5), 4)),
    ],
)
def test_which_end_is_known(configured: str, of_certificate: str, end: End | None) -> None:
    assert end_of(configured, of_certificate, TODAY) == end


def tell(end: End | None, status: int = 0) -> tuple[bool, list[str], list[str]]:
    """Return what tell_root returned, what it logged, and the mails that sendmail took."""
    said: list[str] = []
    mails: list[str] = []

    def run(command: list[str], *, input: str, **_options: t.Any) -> subprocess.CompletedProcess[str]:  # noqa: A002
        assert command == ["sendmail", "-i", "-f", "root", "--", "root"]
        mails.append(input)
        return subprocess.CompletedProcess(command, status, "", "sendmail: the queue is full\n")

    return tell_root("m365", end, said.append, run), said, mails


def test_root_is_told_some_weeks_before_and_each_of_the_last_days() -> None:
    days = [left for left in range(40, -4, -1) if tell(end_in(left))[2]]
    assert days == [30, 21, 14, 7, 3, 2, 1, 0, -1, -2, -3]


def test_the_mail_says_what_expires_when_and_what_to_do() -> None:
    done, said, (mail,) = tell(end_in(7))
    assert done
    assert said == ["m365: root was told by mail that the secret expires on 2027-02-08, in 7 days"]
    assert "Subject: The secret of the upstream m365 expires on 2027-02-08, in 7 days\n" in mail
    assert "relay_upstream.oauth" in mail
    mail.encode("ascii")
    assert max(map(len, mail.splitlines())) < 79


@pytest.mark.parametrize("end", [None, end_in(31), end_in(29)])
def test_no_mail_on_other_days(end: End | None) -> None:
    done, (line,), mails = tell(end)
    assert (done, mails) == (True, [])
    assert line.startswith("m365: no mail to root: ")


def test_a_mail_that_could_not_be_sent_is_a_failure() -> None:
    done, (line,), _mails = tell(end_in(7), status=75)
    assert not done
    assert line == (
        "m365: failed: the secret expires on 2027-02-08, in 7 days, and root could not be told by mail: sendmail: the"
        " queue is full"
    )


def test_a_host_without_sendmail_is_told_and_is_no_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    said: list[str] = []
    assert not tell_root("m365", end_in(7), said.append)
    assert said[0].endswith("root could not be told by mail: sendmail cannot be run: No such file or directory")

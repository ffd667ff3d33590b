# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which upstreams are tried, how a probe reaches them, and what its log line means."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest

from ansible_collections.mailops.smtp.plugins.module_utils._postfix import canary_upstreams
from ansible_collections.mailops.smtp.plugins.module_utils._postfix.canary_process import Output
from ansible_collections.mailops.smtp.plugins.module_utils._postfix.canary_upstreams import Trial, choose, judge, routes
from ansible_collections.mailops.smtp.plugins.module_utils._postfix.config import Configuration, parse_master
from ansible_collections.mailops.smtp.plugins.module_utils._postfix.problem import ConfigText

ENTRY = "to-a unix - - n - - smtp -o {smtp_sasl_password_maps = texthash:/login}"
TRANSPORT = parse_master(ENTRY)[0]
ASKED = [{"transport": "to-a", "nexthop": "[a.test]:587"}, {"transport": "missing", "nexthop": "[b.test]:587"}]
TRIAL = Trial("canary-trial-1", TRANSPORT, "[a.test]:587")
SOURCE = ConfigText("/etc/postfix", "", f"\n{ENTRY}\n")


@pytest.mark.parametrize(
    ("live_entry", "live_login", "tried"),
    [
        (ENTRY, "a b:c", False),
        (ENTRY.replace(" smtp ", "   smtp   "), "a b:c", False),
        (f"{ENTRY} -o x=y", "a b:c", True),
        ("", "a b:c", True),
        (ENTRY, "a b:other", True),
        (ENTRY, None, True),
        (None, None, True),
    ],
)
def test_only_what_differs_from_the_live_configuration_is_tried(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, live_entry: str | None, live_login: str | None, tried: bool
) -> None:
    login = tmp_path / "login"
    options = {("to-a", "unix"): {"smtp_sasl_password_maps": f"texthash:{login}"}}
    staged = Configuration({}, {}, [TRANSPORT], options)
    tree = tmp_path / "tree"
    (tree / str(login)[1:]).parent.mkdir(parents=True)
    (tree / str(login)[1:]).write_text("a b:c")
    if live_login is not None:
        login.write_text(live_login)
    if live_entry is not None:
        (tmp_path / "master.cf").write_text(live_entry)
    monkeypatch.setattr(canary_upstreams, "run", lambda *_words: Output(0, f"{live_entry}\n", ""))
    trials = choose(ASKED, staged, str(tree), str(tmp_path))
    assert [(trial.transport.name, trial.nexthop) for trial in trials] == ([("to-a", "[a.test]:587")] if tried else [])


def test_a_probe_goes_through_a_copy_of_the_transport() -> None:
    asking, copy = canary_upstreams.services([TRIAL])
    assert "reject_unverified_recipient" in str(asking)
    assert str(copy).startswith("canary-trial-1 unix - - n - - smtp -o {smtp_sasl_password_maps = texthash:/login} -o ")
    assert routes([TRIAL]) == ("inline:{ {canary-trial-1@mailops-canary.invalid = canary-trial-1:[a.test]:587} }")
    assert (canary_upstreams.services([]), routes([])) == ([], "")


def log_of(status: str, text: str) -> str:
    return (
        "Nov 28 10:00:00 host canary-trial-1/smtp[7]: 6FC3C1A803F: to=<canary-trial-1@mailops-canary.invalid>,"
        f" relay=a.test[192.0.2.1]:587, delay=1, delays=0/0/1/0, dsn=4.7.8, status={status} ({text})\n"
    )


VERDICTS: list[tuple[str, str, str]] = [
    ("deliverable", "250 2.1.5 Ok", ""),
    ("undeliverable", "host a.test[192.0.2.1] said: 550 5.1.1 no such user (in reply to RCPT TO command)", ""),
    ("undeliverable", "host a.test[192.0.2.1] said: 553 5.7.1 not your address (in reply to MAIL FROM command)", ""),
    ("undeliverable", "host a.test[192.0.2.1] said: 450 4.2.0 greylisted (in reply to RCPT TO command)", ""),
    (
        "undeliverable",
        "SASL authentication failed; server a.test[192.0.2.1] said: 535 5.7.8 Error: authentication failed",
        "check both",
    ),
    ("undeliverable", "connect to a.test[192.0.2.1]:587: Connection refused", "No server listens on that port"),
    ("undeliverable", "Server certificate not verified", "name or its authority"),
    ("undeliverable", "host a.test[192.0.2.1] refused to talk to me: 554 5.7.1 blocked", "blocked"),
    ("undeliverable", "host a.test[192.0.2.1] said: 530 5.7.0 x (in reply to EHLO command)", "530 5.7.0 x"),
    ("undeliverable", "something that a later Postfix says", "documentation"),
]


@pytest.mark.parametrize(("status", "text", "words"), VERDICTS)
def test_what_comes_after_the_login_does_not_matter(status: str, text: str, words: str) -> None:
    problems = list(judge([TRIAL], log_of(status, text), SOURCE))
    assert bool(problems) == bool(words)
    for problem in problems:
        assert (problem.file, problem.line) == ("/etc/postfix/master.cf", 2)
        assert words in str(problem)
        assert f"to-a: [a.test]:587 cannot be used: {text}" in str(problem)


@pytest.mark.parametrize(
    ("relay", "text", "told"),
    [
        ("none", "connect to a.test[192.0.2.1]:587: Connection refused", False),
        ("a.test[192.0.2.1]:587", "SASL authentication failed; server a.test[192.0.2.1] said: 535 5.7.8 no", True),
    ],
)
def test_a_fallback_covers_a_server_that_cannot_be_reached(relay: str, text: str, told: bool) -> None:
    fallback = Trial("canary-trial-2", TRANSPORT, "[b.test]:587")
    log = log_of("undeliverable", text).replace("a.test[192.0.2.1]:587, delay", f"{relay}, delay")
    works = log_of("deliverable", "250 2.1.5 Ok").replace("canary-trial-1", "canary-trial-2").replace("6FC3", "6FC4")
    problems = list(judge([TRIAL, fallback], log + works, SOURCE))
    assert [TRIAL.nexthop in str(one) for one in problems] == ([True] if told else [])
    assert len(list(judge([TRIAL, fallback], log, SOURCE))) == 2


def test_a_probe_without_a_result_is_told() -> None:
    problems: t.Any = list(judge([TRIAL], "", SOURCE))
    assert "to-a: [a.test]:587 gave no result in time." in str(problems[0])
    log = "".join(f"Nov 29 11:49:29 relay postfix/verify[4{n}]: {n}: timeout on port {n}\n" for n in ("info", "fatal"))
    problems = list(judge([TRIAL], log, SOURCE))
    assert "gave no result in time, and Postfix said: fatal: timeout on port fatal." in str(problems[0])

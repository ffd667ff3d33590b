# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A bad configuration never goes live, a good one does, and no client is refused in either case.

The bad configurations and the words of their errors are the canary's cases; here a user's task deploys them.
"""

from __future__ import annotations

import concurrent.futures
import contextlib
import json
import time
import typing as t

import pytest

from ansible_collections.mailops.smtp.tests.lab.suite.plays import LAB, Play, run_play
from ansible_collections.mailops.smtp.tests.lab.suite.test_canary import FOUND, Edit

CASES = [
    "a TLS level",
    "a misspelled restriction",
    "a misspelled parameter",
    "a missing key",
    "a certificate with the key of another",
    "a missing table",
    "a malformed line of a table",
    "a duplicate key",
    "a line of master.cf with too few fields",
    "an open relay by mynetworks",
    "an unknown protocol",
]
TREE = r"find /etc/postfix /etc/dovecot -printf '%p %i %m %U %G %s %T@ %l\n' | sort"
OWN = "stat -c '%n %a %U %G' /etc/postfix/ma*.cf /etc/postfix/relay* /etc/dovecot/dovecot.conf /etc/dovecot/relay*"

Stream = t.Callable[[], t.ContextManager[list[list[t.Any]]]]


class Trials(t.NamedTuple):
    """The outcome of all bad configurations.

    :ivar results: results of the module, by case.
    :ivar role: a run of the complete role, with a key that is not the certificate's.
    :ivar tried: another one, with a file that holds no certificate.
    :ivar replies: replies to the client during all trials.
    :ivar trees: the live configuration before and after.
    """

    results: dict[str, dict[str, t.Any]]
    role: Play
    tried: Play
    replies: list[list[t.Any]]
    trees: tuple[str, str]


@pytest.fixture(scope="module")
def stream(
    relay: t.Any, hosts: dict[str, t.Any], probe: t.Callable[..., t.Any], find_mail: t.Callable[..., list[bytes]]
) -> Stream:
    """``with stream() as replies``: a client sends ten messages per second, and each arrives exactly once."""
    address = relay.check_output("hostname -I").split()[0]

    @contextlib.contextmanager
    def run() -> t.Iterator[list[list[t.Any]]]:
        name = f"steady-{time.time_ns()}"
        stop, subject = f"/root/{name}", f"{name} message"
        message = {"host": address, "recipient": "inbox@dest.test", "subject": subject}
        replies: list[list[t.Any]] = []
        with concurrent.futures.ThreadPoolExecutor() as pool:
            sent = pool.submit(probe, "client", "stream", **message, seconds=100, rate=10, until=stop)
            try:
                yield replies
            finally:
                hosts["client"].check_output(f"touch {stop}")
                replies += sent.result()
                hosts["client"].check_output(f"rm {stop}")
        assert len(find_mail(f'SUBJECT "{subject}"', count=len(replies), seconds=60)) == len(replies)

    return run


@pytest.fixture(scope="module")
def trials(relay: t.Any, second_run: Play, stream: Stream) -> Trials:
    """Try each case with the module and a changed copy of the relay's files, and two cases with the complete role."""
    second_run.succeeded()
    present = [line.split() for line in relay.check_output(OWN).splitlines()]
    files = [dict(zip(("path", "mode", "owner", "group"), words, strict=True)) for words in present]
    files = [{**file, "secret": relay.file(file["path"]).content_string} for file in files]
    with open(LAB / "other.key", "w", encoding="ascii") as key:
        key.write(
            next(new for path, _old, new in FOUND["a certificate with the key of another"][0] if path.endswith(".key"))
        )
    other_key = "{{ lab_build }}/other.key"
    tls = {"certificate": "{{ lab_build }}/pki/relay.sender.test.pem", "key": other_key}
    before = relay.check_output(TREE)
    with stream() as replies:
        results = try_each({case: edited(files, FOUND[case][0]) for case in CASES})
        role = run_play("safe-role", "playbooks/relay.yml", extra={"relay_tls": tls})
        settings = {"relay_settings": {"smtpd_tls_chain_files": "/etc/hostname"}}
        tried = run_play("safe-tried", "playbooks/relay.yml", extra=settings)
    return Trials(results, role, tried, replies, (before, relay.check_output(TREE)))


def edited(files: list[dict[str, str]], edits: list[Edit]) -> list[dict[str, str]]:
    """Return the files with these edits."""
    by_path = {file["path"]: file for file in files}
    for path, old, new in edits:
        file = by_path.get(path, {"path": path, "mode": "0600", "secret": ""})
        assert old in file["secret"], f"{path} does not contain {old!r}"
        text = file["secret"].replace(old, new) if old else file["secret"] + new
        by_path[path] = {**file, "secret": text}
    return [public(file) if int(file["mode"], 8) & 0o004 else file for file in by_path.values()]


def public(file: dict[str, str]) -> dict[str, str]:
    """The file with a content that Ansible may print. The module hides each value of a secret file from its errors."""
    return {**{key: value for key, value in file.items() if key != "secret"}, "content": file["secret"]}


def try_each(cases: dict[str, list[dict[str, str]]]) -> dict[str, dict[str, t.Any]]:
    """Run the module for each case in one play. A private file holds the contents, because Ansible prints tasks."""
    folder = LAB / "safe"
    folder.mkdir(mode=0o700, exist_ok=True)
    (folder / "cases.json").write_text(json.dumps(cases))
    results = folder / "results.json"
    results.unlink(missing_ok=True)
    task = {"name": "relay", "validators": [{"postfix": {}}]}
    tasks: list[dict[str, t.Any]] = [
        {
            "mailops.smtp.config_transaction": {**task, "files": f"{{{{ cases['{case}'] }}}}"},
            "register": f"case_{number}",
            "ignore_errors": True,
        }
        for number, case in enumerate(cases)
    ]
    by_case = ", ".join(f"'{case}': case_{number}" for number, case in enumerate(cases))
    keep = {"content": f"{{{{ {{{by_case}}} | to_json }}}}", "dest": str(results), "mode": "0600"}
    tasks.append({"ansible.builtin.copy": keep, "delegate_to": "localhost"})
    variables = {"cases": f"{{{{ lookup('ansible.builtin.file', '{folder}/cases.json') | from_json }}}}"}
    (folder / "play.yml").write_text(
        json.dumps([{"hosts": "relay", "gather_facts": False, "vars": variables, "tasks": tasks}])
    )
    play = run_play("safe", str(folder / "play.yml"))
    assert results.exists(), play.tail
    return dict(json.loads(results.read_text()))


@pytest.mark.parametrize("case", CASES)
def test_a_bad_configuration_is_refused_with_its_reason(trials: Trials, case: str) -> None:
    """The error has the file, the parameter or the line, and the message of Postfix."""
    result, words = trials.results[case], FOUND[case][1]
    assert (result["failed"], result["changed"], result["step"]) == (True, False, "validate"), result
    assert result["msg"].startswith("Nothing was changed: the new configuration is not valid. ")
    assert [word for word in words if word not in result["msg"]] == [], result["msg"]
    assert result["failed_file"].startswith("/etc/postfix/")


def test_the_role_refuses_a_certificate_that_does_not_match_its_key(trials: Trials) -> None:
    """The controller has both files, so that the host is not even asked."""
    assert trials.role.code != 0
    assert trials.role.says("relay_tls.key: the key is not that of the first certificate in the file of certificate")
    assert trials.role.count("relay", "changed") == 0


def test_the_role_refuses_what_only_a_trial_finds(trials: Trials) -> None:
    assert trials.tried.code != 0
    assert trials.tried.says("Nothing was changed: the new configuration is not valid.")
    assert trials.tried.says("(smtpd_tls_chain_files)")


def test_the_live_configuration_is_unchanged(trials: Trials) -> None:
    assert trials.trees[0] == trials.trees[1]


def test_no_client_is_refused_during_the_trials(trials: Trials) -> None:
    assert len(trials.replies) >= 50
    assert {code for code, _text in trials.replies} == {250}, trials.replies


def test_a_parameter_goes_live_by_a_reload_without_refusals(relay: t.Any, trials: Trials, stream: Stream) -> None:
    del trials  # they need the relay unchanged, so they come first
    started = "systemctl show --property=ExecMainStartTimestampMonotonic,MainPID postfix.service"
    before = relay.check_output(started)
    with stream() as replies:
        changed = run_play("safe-reload", "playbooks/relay.yml", extra={"relay_settings": {"smtpd_banner": "anew"}})
        assert changed.succeeded().count("relay", "changed") == 1
        assert relay.check_output("bash -c 'head -n 1 </dev/tcp/127.0.0.1/25'").strip() == "220 anew"
        run_play("safe-back", "playbooks/relay.yml").succeeded()
    assert relay.check_output(started) == before
    assert len(replies) >= 50
    assert {code for code, _text in replies} == {250}, replies

# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab as fixtures: its hosts, plays that run on them, and probes from one host to another.

The lab must be up (``make lab``). Plays run once per session, in the order of their fixtures: a check on the bare host,
the first run, a second one, a check on the converged host.
"""

from __future__ import annotations

import base64
import json
import os
import shlex
import subprocess
import time
import typing as t
from email import message_from_string, policy
from email.message import EmailMessage
from pathlib import Path

import pytest
import testinfra
import yaml

from ansible_collections.mailops.smtp.tests.lab.suite.plays import (
    EVENT_LIMIT,
    LAB,
    PROGRAM_LIMIT,
    ROOT,
    VENV,
    Play,
    run_play,
)

#: The mailbox inbox@dest.test on mx.
MAILDIR = "/srv/mail/dest.test/inbox/Maildir"
PROBE = Path(__file__).with_name("probe.py")
HOSTS = ("ns", "relay", "relay12", "upstream", "mx", "client", "outsider", "relay11", "relay14")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Move the tests that replace the relay to the end, because all other tests share it."""
    items.sort(key=lambda item: item.get_closest_marker("last") is not None)


@pytest.fixture(scope="session")
def hosts() -> dict[str, t.Any]:
    """Hosts of testinfra by name, over the lab's shared ssh connections."""
    config = str(LAB / "ssh_config")
    return {name: testinfra.get_host(f"ssh://{name}", ssh_config=config) for name in HOSTS}


@pytest.fixture(scope="session")
def passwords() -> dict[str, str]:
    """Passwords of the lab by account."""
    return dict(yaml.safe_load((LAB / "secrets.yml").read_text())["lab_passwords"])


@pytest.fixture(scope="session")
def probe(hosts: dict[str, t.Any]) -> t.Callable[..., t.Any]:
    """``probe(on, function, **arguments)`` runs a function of probe.py on a host."""

    def run(on: str, function: str, /, **arguments: t.Any) -> t.Any:
        command = f"python3 - {function} {shlex.quote(json.dumps(arguments))}"
        done = subprocess.run(
            ["ssh", "-F", str(LAB / "ssh_config"), on, command],
            input=PROBE.read_bytes(),
            capture_output=True,
            timeout=PROGRAM_LIMIT,
            check=False,
        )
        assert done.returncode == 0, f"{function} on {on}: {done.stderr.decode()[-3000:]}"
        return json.loads(done.stdout)

    return run


@pytest.fixture(scope="session")
def find_mail(probe: t.Callable[..., t.Any], passwords: dict[str, str]) -> t.Callable[..., list[bytes]]:
    """``find_mail(search)`` waits for messages in a mailbox on ``mx`` that an IMAP search finds; oldest first."""

    def find(
        search: str, mailbox: str = "inbox@dest.test", count: int = 1, seconds: float = EVENT_LIMIT
    ) -> list[bytes]:
        login = {"host": "mx.dest.test", "user": mailbox, "password": passwords[mailbox]}
        found = probe("client", "find_mail", **login, search=search, count=count, seconds=seconds)
        return [base64.b64decode(message) for message in found]

    return find


@pytest.fixture(scope="session")
def find_signed(probe: t.Callable[..., t.Any]) -> t.Callable[..., list[list[dict[str, t.Any]]]]:
    """``find_signed(word)`` waits for messages on ``mx`` with this word in the header, and verifies their signatures.

    Each message is a list of signatures, each with the tags ``d``, ``s``, ``a`` and ``h``, and a reason if it fails.
    """

    def find(word: str, count: int = 1, seconds: float = EVENT_LIMIT) -> list[list[dict[str, t.Any]]]:
        return list(probe("mx", "find_signed", folder=MAILDIR, word=word, count=count, seconds=seconds))

    return find


@pytest.fixture(scope="session")
def publish(hosts: dict[str, t.Any]) -> t.Iterator[t.Callable[..., None]]:
    """``publish(name, text, ...)`` replaces the TXT records of a name in one of the lab's zones of DKIM keys.

    Without a text, the name has no records. Answers may be remembered for a second.
    """
    published = set()

    def replace(name: str, *texts: str) -> None:
        published.add(name)
        parts = [" ".join(json.dumps(text[at : at + 255]) for at in range(0, len(text), 255)) for text in texts]
        records = [f"del {name} TXT", *(f"add {name} 1 TXT {part}" for part in parts)]
        lines = "\n".join(["server 127.0.0.1", *records, "send", ""])
        hosts["ns"].check_output(f"printf %s {shlex.quote(lines)} | nsupdate")

    yield replace
    for name in published:
        replace(name)


def parse(raw: bytes) -> EmailMessage:
    """Parse a message with the standard library; its header may contain UTF-8 (RFC 6532)."""
    parsed = message_from_string(raw.decode("utf-8"), policy=policy.default)
    assert isinstance(parsed, EmailMessage)
    return parsed


@pytest.fixture(scope="session")
def read_mail(find_mail: t.Callable[..., list[bytes]]) -> t.Callable[..., EmailMessage | None]:
    """``read_mail(subject)`` waits for a message in a mailbox on ``mx`` and parses the newest one."""

    def read(subject: str, mailbox: str = "inbox@dest.test", seconds: float = EVENT_LIMIT) -> EmailMessage | None:
        found = find_mail(f"SUBJECT {json.dumps(subject)}", mailbox=mailbox, seconds=seconds)
        return parse(found[-1]) if found else None

    return read


@pytest.fixture(scope="session")
def put() -> t.Callable[[str, str, bytes], None]:
    """``put(on, path, content)`` writes a file on a host and creates its folder if needed."""

    def write(on: str, path: str, content: bytes) -> None:
        folder = path.rpartition("/")[0]
        command = f"mkdir -p {shlex.quote(folder)} && cat >{shlex.quote(path)}"
        subprocess.run(["ssh", "-F", str(LAB / "ssh_config"), on, command], input=content, timeout=30, check=True)

    return write


#: Lists everything that a play could change on a host, except the queue files of a running Postfix and Ansible's own
#: files in /root.
SNAPSHOT = r"""
find /etc /usr/bin /usr/sbin /usr/lib/systemd /var/lib/dpkg /var/lib/mailops /var/spool /root /srv -xdev \
  -not -path '/root/.ansible*' -printf '%p %y %m %u %g %s %T@ %l\n' 2>/dev/null |
  grep -vE '/var/spool/postfix/(active|pid|public|private|incoming|maildrop|deferred)' | sort
systemctl list-units --all --plain --no-legend '*.service' | grep -E 'postfix|dovecot|nftables|relay'
nft list ruleset 2>/dev/null
true
"""


@pytest.fixture(scope="session")
def info() -> t.Callable[..., dict[str, t.Any]]:
    """``info(on, **options)`` runs smtp_info on a host of the lab and returns its result."""

    def run(on: str, /, **options: t.Any) -> dict[str, t.Any]:
        given = {"timeout": 15, "connect_timeout": 5, **options}
        command = [str(VENV / "ansible"), on, "-m", "mailops.smtp.smtp_info", "-a", json.dumps(given)]
        environment = {
            **os.environ,
            "ANSIBLE_CONFIG": str(ROOT / "tests/ansible.cfg"),
            "ANSIBLE_CALLBACK_RESULT_FORMAT": "json",
            "ANSIBLE_NOCOLOR": "1",
        }
        done = subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=PROGRAM_LIMIT, check=False
        )
        _verdict, arrow, result = done.stdout.partition("=> ")
        assert arrow, done.stderr + done.stdout
        return {**json.loads(result), "output": done.stdout}

    return run


def until(condition: t.Callable[[], bool], seconds: float = EVENT_LIMIT) -> None:
    """Wait until a condition is true."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"the condition is not true within {seconds} s"


def snapshot(host: t.Any) -> str:
    """Return the current state of the host."""
    return str(host.check_output(SNAPSHOT))


@pytest.fixture(scope="session")
def bare_check(hosts: dict[str, t.Any]) -> tuple[Play, str, str]:
    """``--check`` on the bare host, with the state of the host before and after."""
    before = snapshot(hosts["relay"])
    play = run_play("1-bare-check", "playbooks/relay.yml", "--check")
    return play, before, snapshot(hosts["relay"])


@pytest.fixture(scope="session")
def first_run(bare_check: tuple[Play, str, str]) -> Play:
    """The first real run."""
    return run_play("2-first-run", "playbooks/relay.yml")


@pytest.fixture(scope="session")
def second_run(first_run: Play) -> Play:
    """The second run, without changes to the variables."""
    first_run.succeeded()
    return run_play("3-second-run", "playbooks/relay.yml")


@pytest.fixture(scope="session")
def converged_check(second_run: Play, hosts: dict[str, t.Any]) -> tuple[Play, str, str]:
    """``--check`` on the converged host, with the state of the host before and after."""
    before = snapshot(hosts["relay"])
    play = run_play("4-converged-check", "playbooks/relay.yml", "--check")
    return play, before, snapshot(hosts["relay"])


@pytest.fixture(scope="session")
def relay(first_run: Play, hosts: dict[str, t.Any]) -> t.Any:
    """The converged relay."""
    first_run.succeeded()
    return hosts["relay"]


@pytest.fixture
def journal_on_failure(relay: t.Any, request: pytest.FixtureRequest) -> t.Iterator[None]:
    """Print the relay's mail log if the test fails."""
    before = request.session.testsfailed
    yield
    if request.session.testsfailed > before:
        print(relay.run("journalctl --no-pager -n 60 -u 'postfix*' -u dovecot").stdout)


@pytest.fixture(scope="session")
def send() -> t.Callable[..., dict[str, t.Any]]:
    """``send(on, **options)`` runs smtp_send on a host of the lab and returns its result."""

    def run(on: str, /, _check: bool = False, **options: t.Any) -> dict[str, t.Any]:
        command = [str(VENV / "ansible"), on, "-m", "mailops.smtp.smtp_send", "-a", json.dumps(options)]
        environment = {
            **os.environ,
            "ANSIBLE_CONFIG": str(ROOT / "tests/ansible.cfg"),
            "ANSIBLE_CALLBACK_RESULT_FORMAT": "json",
            "ANSIBLE_NOCOLOR": "1",
        }
        done = subprocess.run(
            [*command, *(["--check"] if _check else [])],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            timeout=PROGRAM_LIMIT,
            check=False,
        )
        verdict, arrow, result = done.stdout.partition("=> ")
        assert arrow, done.stderr + done.stdout
        return {"failed": "FAILED" in verdict, **json.loads(result)}

    return run


@pytest.fixture(scope="session")
def send_each() -> t.Callable[[str, list[dict[str, t.Any]]], list[dict[str, t.Any]]]:
    """``send_each(on, [options, ...])`` runs smtp_send once per item in one play, in a fifth of the time."""

    def run(on: str, each: list[dict[str, t.Any]]) -> list[dict[str, t.Any]]:
        playbook, results = LAB / "send-each.yml", LAB / "send-each.json"
        task = {"mailops.smtp.smtp_send": None, "args": "{{ item }}", "loop": each, "ignore_errors": True}
        keep = {"content": "{{ done.results | to_json }}", "dest": str(results), "mode": "0600"}
        tasks = [{**task, "register": "done"}, {"ansible.builtin.copy": keep, "delegate_to": "localhost"}]
        playbook.touch(mode=0o600)  # it holds passwords
        playbook.write_text(json.dumps([{"hosts": on, "gather_facts": False, "tasks": tasks}]))
        results.unlink(missing_ok=True)
        play = run_play("send-each", str(playbook))
        assert results.exists(), play.tail
        return list(json.loads(results.read_text()))

    return run

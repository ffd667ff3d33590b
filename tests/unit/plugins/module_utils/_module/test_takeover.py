# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a host does with mail is read from its files and programs, until the role has configured it."""

from __future__ import annotations

import json
import pwd
import typing as t
from pathlib import Path

import pytest

from ansible_collections.mailops.smtp.plugins.module_utils._module import takeover
from ansible_collections.mailops.smtp.plugins.module_utils._module.commands import Commands

MASTER = "smtp inet n - y - - smtpd\nlocal unix - n n - - local\n"


class FakeCommands(Commands):
    """Programs whose output is known; all others are not installed."""

    def __init__(self, **outputs: str) -> None:  # needs no AnsibleModule
        self.outputs = outputs

    def run(self, argv: list[str]) -> tuple[int, str, str]:
        name = argv[0].replace("-", "_")
        name += argv[1].replace("-", "_") if argv[0] == "postconf" else f"_{argv[2]}" if argv[0] == "dpkg" else ""
        return (0, self.outputs[name], "") if name in self.outputs else (127, "", "No such file or directory")


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A host with Postfix, and users in ``home``."""
    homes = [tmp_path / "home" / name for name in ("alice", "bob", "daemon")]
    for home in homes[:2]:
        home.mkdir(parents=True)
    users = [type("User", (), {"pw_dir": str(home)}) for home in homes]
    monkeypatch.setattr(pwd, "getpwall", lambda: users)
    monkeypatch.setattr(takeover, "OWNED", str(tmp_path / "relay"))
    monkeypatch.setattr(takeover, "NOTE", str(tmp_path / "note"))
    (tmp_path / "mail").mkdir()
    (tmp_path / "aliases").write_text("postmaster: root\n")
    return tmp_path


def look(host: Path, main: str = "", installed: bool = True, **outputs: str) -> dict[str, t.Any]:
    known = f"alias_maps = hash:{host}/aliases\nmail_spool_directory = {host}/mail\n{main}"
    given = {"postconf_nx": known, "postconf_M": MASTER, "postconf_Px": "", **outputs}
    return takeover.look(FakeCommands(**given), installed)


NOTHING: dict[str, t.Any] = {
    **{name: [] for name in ("stops", "stops_with_logins", "replaces", "units", "replaced")},
    "stops_with_signer": {"rspamd": [], "opendkim": []},
}


def test_a_fresh_host_does_nothing(host: Path) -> None:
    (host / "mail/root").touch()
    (host / "home/alice/Maildir/new").mkdir(parents=True)
    (host / "home/bob/.forward").touch()
    assert look(host) == NOTHING
    assert look(host, installed=False) == NOTHING


#: A file, what main.cf has in addition, and what is found; {0} is the folder of the host.
FILES: list[tuple[str, str, str]] = [
    ("mail/alice", "", "local mailboxes ({0}/mail/alice)"),
    (
        "home/alice/Maildir/new/1",
        "home_mailbox = Maildir/",
        "local mailboxes ({0}/home/alice/Maildir/); local delivery (home_mailbox)",
    ),
    ("home/bob/.forward", "", "mail that users forward ({0}/home/bob/.forward)"),
    ("home/bob/.forward", "mydestination =", ""),
    ("aliases", "", "aliases (root: ops@example.com)"),
]


@pytest.mark.parametrize(("file", "main", "expected"), FILES)
def test_files_in_use_are_found(host: Path, file: str, main: str, expected: str) -> None:
    path = host / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("root: ops@example.com\n")
    assert "; ".join(look(host, main)["stops"]) == expected.format(host)


def test_a_postfix_that_cannot_read_main_cf_does_nothing(host: Path) -> None:
    (host / "mail/alice").write_text("From")
    assert takeover.look(FakeCommands(), True) == NOTHING


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("\n", []),  # dovecot-core alone
        ("imap lmtp\n", ["mailboxes that Dovecot serves (IMAP, LMTP)"]),
        ("imap = yes\npop3 = yes\n", ["mailboxes that Dovecot serves (IMAP, POP3)"]),
    ],
)
def test_protocols_of_dovecot(host: Path, said: str, expected: list[str]) -> None:
    assert look(host, doveconf=said)["stops_with_logins"] == expected
    assert look(host, installed=False, doveconf=said)["stops_with_logins"] == expected


#: Files of the transaction, and whether the host is the role's already.
OURS: list[tuple[dict[str, t.Any], bool]] = [
    ({}, False),
    ({"manifest": {"manifest": {"files": {}, "noted": {"postfix.service": "enabled running"}}}}, False),
    ({"manifest": {"manifest": {"files": {"/etc/postfix/main.cf": {}}}}}, True),
    ({"swapping": {}}, True),
    ({"committed": {}}, True),
    ({"undone": {}}, True),
]


@pytest.mark.parametrize(("files", "ours"), OURS)
def test_a_host_that_the_role_has_configured_is_not_judged(host: Path, files: dict[str, t.Any], ours: bool) -> None:
    (host / "mail/alice").write_text("From")
    (host / "relay").mkdir()
    for name, content in files.items():
        (host / "relay" / name).write_text(json.dumps(content))
    assert (look(host)["stops"] == []) is ours


def test_running_units_of_a_replaced_server_are_found(host: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """exim4.service runs a program of the package; its unit belongs to another one."""
    for number, program, unit in ((7, "/usr/sbin/exim4", "exim4"), (8, "/usr/sbin/cron", "cron")):
        process = host / f"proc/{number}"
        process.mkdir(parents=True)
        (process / "comm").write_text(unit)
        (process / "cmdline").write_text(f"{program}\0-bd\0")
        (process / "cgroup").write_text(
            f"1:name=systemd:/system.slice/{unit}.service\n0::/system.slice/{unit}.service\n"
        )
    (host / "proc/self").mkdir()
    monkeypatch.setattr(takeover, "ROOT", str(host))
    listed = "installed\texim4-daemon-light\tmail-transport-agent\t, libc6\n"
    files = "/usr/sbin/exim4\n/lib/systemd/system/exim4-queue.timer\n/etc/init.d/exim4-old\n"
    commands = FakeCommands(dpkg_query=listed + files, systemctl="")
    found = takeover.look(commands, False)
    assert found["units"] == ["exim4-old.service", "exim4-queue.timer", "exim4.service"]


def test_another_mail_server_is_found_and_remembered(host: Path) -> None:
    listed = "installed\tnullmailer\tmail-transport-agent\t, libc6\n"
    assert look(host, installed=False, dpkg_query=listed)["replaces"] == ["nullmailer"]
    assert look(host, dpkg_query=listed)["replaces"] == []
    assert look(host, installed=False, dpkg_query=listed)["units"] == []
    (host / "note").write_text("exim4\nexim4-daemon-light\n")
    assert look(host)["replaced"] == ["exim4", "exim4-daemon-light"]


CHANGED = "missing   c /etc/opendkim/gone\n??5??????   /usr/sbin/opendkim\n??5?????? c /etc/opendkim.conf\n"
RUNS = {"systemctl": "", "dpkg_query": "rspamd\t3.12\n"}
OVERRIDE = "{0}/etc/systemd/system/rspamd.service.d/more.conf"
#: Files, what programs say, and what the signers do; {0} is the folder of the host.
SIGNERS: list[tuple[list[str], dict[str, str], dict[str, list[str]]]] = [
    ([], {}, {}),
    ([], RUNS, {}),  # as the package leaves it, or one that a failed run of the role has installed
    (["rspamd/local.d/actions.conf"], {}, {}),  # neither runs nor is enabled
    (["rspamd/local.d/module.conf.example", "rspamd/rspamd.conf"], RUNS, {}),
    (
        ["rspamd/override.d/a.inc", "systemd/system/rspamd.service.d/more.conf"],
        RUNS,
        {
            "rspamd": [f"rspamd with a configuration of its own ({{0}}/etc/rspamd/override.d/a.inc, {OVERRIDE})"],
        },
    ),
    (["rspamd/local.d/a.conf", "systemd/system/rspamd.service.d/10-mailops-relay.conf"], RUNS, {}),  # the role's
    (
        [],
        {**RUNS, "dpkg_opendkim": CHANGED},
        {"opendkim": ["opendkim with a configuration of its own (/etc/opendkim.conf)"]},
    ),
    (
        [],
        {**RUNS, "postconf_nx": "non_smtpd_milters = inet:localhost:11332\nsmtpd_milters = $non_smtpd_milters\n"},
        {"rspamd": ["rspamd as a milter of Postfix (non_smtpd_milters)"]},
    ),
    (
        [],
        {**RUNS, "postconf_Px": "587/inet/smtpd_milters = local:opendkim/opendkim.sock\n"},
        {"opendkim": ["opendkim as a milter of Postfix (smtpd_milters)"]},
    ),
    ([], {**RUNS, "postconf_nx": "smtpd_milters = unix:/run/relay-dkim/milter.sock, inet:127.0.0.1:3310\n"}, {}),
]


@pytest.mark.parametrize(("files", "outputs", "expected"), SIGNERS)
def test_a_signer_that_does_something_is_found(
    host: Path,
    files: list[str],
    outputs: dict[str, str],
    expected: dict[str, list[str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Also on a host that the role has configured without signatures."""
    monkeypatch.setattr(takeover, "ROOT", str(host))
    for name in files:
        path = host / "etc" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x = 1;\n")
    (host / "relay").mkdir()
    (host / "relay/committed").touch()
    given = {"postconf_nx": "", "postconf_M": "", "postconf_Px": "", **outputs}
    found = takeover.look(FakeCommands(**given), True)["stops_with_signer"]
    assert found == {
        name: [phrase.format(host) for phrase in expected.get(name, [])] for name in ("rspamd", "opendkim")
    }

# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Aliases are followed to their ends, through the tables of cleanup(8) and local(8)."""

from __future__ import annotations

import itertools
import pwd
import typing as t
from pathlib import Path

import pytest

from ansible_collections.mailops.smtp.plugins.module_utils._host import aliases
from ansible_collections.mailops.smtp.tests.unit.plugins.module_utils._host.fakes import FakeHost

POSTCONF = "postconf -c /etc/postfix"
MAIN = """myorigin = a.test
mydestination = a.test, localhost
local_transport = local:$myhostname
alias_maps = hash:/etc/aliases
virtual_alias_maps = lmdb:/etc/virtual
"""

Ends = list[tuple[str, t.Any]]


class Tables(FakeHost):
    """A host whose postmap answers from two tables; keys of the second one have an @."""

    def __init__(self, root: Path, entries: dict[str, str], main: str = MAIN) -> None:
        known = {
            "postconf -d config_directory mail_version": "config_directory = /etc/postfix\nmail_version = 3.10.5\n",
            f"{POSTCONF} -n": main,
            f"{POSTCONF} -x": main,
            f"{POSTCONF} -M": "",
            f"{POSTCONF} -Px": "",
        }
        super().__init__(root, **known)
        self.entries = entries
        self.complaint = ""

    def _answer(self, argv: list[str]) -> tuple[int, str, str]:
        if argv[0] == "postmap":
            self.asked.append(" ".join(argv))
        else:
            return super()._answer(argv)
        assert argv[1] == "-c"
        assert argv[3] == "-q"
        key, table = argv[4:]
        virtual = table == "lmdb:/etc/virtual"
        value = self.entries.get(("v:" if virtual else "") + key)
        return (1, "", self.complaint) if value is None else (0, f"{value}\n", "")


@pytest.fixture(autouse=True)
def users(monkeypatch: pytest.MonkeyPatch) -> None:
    """The host has the users root and alice."""

    def getpwnam(name: str) -> t.Any:
        if name not in ("root", "alice"):
            raise KeyError(name)

    monkeypatch.setattr(pwd, "getpwnam", getpwnam)


#: Entries of the tables (v: of virtual aliases), and where mail to postmaster ends: found, ends, loops.
WAYS: list[tuple[dict[str, str], tuple[bool, Ends, list[str]]]] = [
    ({}, (False, [("unresolved", "postmaster")], [])),
    ({"postmaster": "root"}, (True, [("mailbox", "root")], [])),
    ({"postmaster": "root", "root": "ops@b.test"}, (True, [("address", "ops@b.test")], [])),
    ({"postmaster": "Root,Alice"}, (True, [("mailbox", "root"), ("mailbox", "alice")], [])),
    ({"postmaster": "alice@a.test, alice@localhost"}, (True, [("mailbox", "alice")], [])),
    ({"postmaster": "bob"}, (True, [("unresolved", "bob")], [])),
    ({"postmaster": "root", "root": "postmaster"}, (True, [], ["postmaster"])),
    ({"postmaster": "x", "x": "y", "y": "x, alice"}, (True, [("mailbox", "alice")], ["x"])),
    ({"postmaster": "alice", "alice": "alice, o@b.test"}, (True, [("mailbox", "alice"), ("address", "o@b.test")], [])),
    ({"postmaster": "\\alice", "alice": "o@b.test"}, (True, [("mailbox", "alice")], [])),
    ({"postmaster": '"|/bin/x --password s3cret"'}, (True, [("program", None)], [])),
    ({"postmaster": '|"/bin/x, y"'}, (True, [("program", None)], [])),
    ({"postmaster": "/var/mail/x"}, (True, [("file", "/var/mail/x")], [])),
    ({"postmaster": "/dev/null"}, (True, [("discard", None)], [])),
    ({"postmaster": ":include:/etc/list, o@b.test"}, (True, [("list", "/etc/list"), ("address", "o@b.test")], [])),
    ({"v:postmaster": "o@b.test", "postmaster": "root"}, (True, [("address", "o@b.test")], [])),
    ({"v:postmaster@a.test": "root", "root": "o@b.test"}, (True, [("address", "o@b.test")], [])),
    ({"v:@a.test": "@b.test"}, (True, [("address", "postmaster@b.test")], [])),
    ({"v:postmaster": "x@b.test", "v:x@b.test": "x@c.test"}, (True, [("address", "x@c.test")], [])),
    ({"v:postmaster": "x@b.test", "v:x@b.test": "y@b.test", "v:y@b.test": "x@b.test"}, (True, [], ["x@b.test"])),
    ({"v:postmaster": "x@b.test", "v:x@b.test": "x@b.test"}, (True, [("address", "x@b.test")], [])),
]


@pytest.mark.parametrize(("entries", "expected"), WAYS)
def test_where_an_alias_ends(tmp_path: Path, entries: dict[str, str], expected: tuple[bool, Ends, list[str]]) -> None:
    host = Tables(tmp_path, entries)
    (found,) = [one for one in aliases.find(host) or () if one.name == "postmaster"]
    ends = [(one.kind, one.value) for one in found.targets or ()]
    assert (found.found, ends, list(found.loops or ())) == expected
    assert host.reasons() == {}


#: Settings of main.cf, and where mail to postmaster ends without any alias.
SETTINGS = [
    ("", ("unresolved", "postmaster")),
    ("local_transport = error:no local mail\n", ("unresolved", "postmaster@a.test")),
    ("mydestination =\n", ("address", "postmaster@a.test")),
    ("mydestination =\nvirtual_alias_domains = a.test\n", ("unresolved", "postmaster@a.test")),
]


@pytest.mark.parametrize(("settings", "end"), SETTINGS)
def test_names_without_an_alias(tmp_path: Path, settings: str, end: tuple[str, str]) -> None:
    found = aliases.find(Tables(tmp_path, {}, MAIN + settings)) or ()
    assert [(one.kind, one.value) for one in found[1].targets or ()] == [end]


#: A table and what postmap complains of, and why nothing is known.
UNREADABLE = [
    ("hash:/etc/aliases", "postmap: fatal: open /etc/aliases.db: Permission denied", "Permission denied."),
    ("ldap:/etc/ldap.cf", "", "ldap asks a server, which is not done here."),
    ("nis:mail.aliases", "", "nis asks a server, which is not done here."),
    (
        "inline:{ {a = s3cret} }",
        "postmap: fatal: missing '=' in s3cret",
        "A table of type inline in main.cf cannot be read.",
    ),
]


@pytest.mark.parametrize(("table", "complaint", "reason"), UNREADABLE)
def test_table_that_cannot_be_asked_is_unknown(tmp_path: Path, table: str, complaint: str, reason: str) -> None:
    host = Tables(tmp_path, {}, MAIN + f"alias_maps = {table}\nvirtual_alias_maps =\n")
    host.complaint = complaint
    assert {(one.found, one.targets) for one in aliases.find(host) or ()} == {(None, None)}
    assert host.reasons()["aliases.root"].endswith(reason)
    assert "s3cret" not in str(host.reasons())
    assert len([command for command in host.asked if command.startswith("postmap")]) <= 1


def test_what_one_instance_cannot_tell_another_can(tmp_path: Path) -> None:
    host = Tables(tmp_path, {"root": "o@b.test"}, MAIN + "multi_instance_directories = /etc/postfix-2\n")
    second = MAIN + "multi_instance_name = two\nalias_maps = nis:mail.aliases\nvirtual_alias_maps =\n"
    for option, output in (("-n", second), ("-x", second), ("-M", ""), ("-Px", "")):
        host.answers[f"postconf -c /etc/postfix-2 {option}"] = (0, output, "")
    found = {(one.instance, one.name): one.found for one in aliases.find(host) or ()}
    assert (found["", "root"], found["two", "root"]) == (True, None)
    assert set(host.reasons()) == {f"aliases.two.{name}" for _instance, name in found}


def test_lists_that_name_each_other_are_followed_once(tmp_path: Path) -> None:
    names = [[f"l{level}x{number}" for number in range(8)] for level in range(12)]
    entries = {name: ", ".join(after) for before, after in itertools.pairwise(names) for name in before}
    host = Tables(tmp_path, {**entries, "root": ", ".join(names[0]), **dict.fromkeys(names[-1], "o@b.test")})
    assert [(one.kind, one.value) for one in (aliases.find(host) or ())[0].targets or ()] == [("address", "o@b.test")]


def test_proxied_table_is_asked_without_the_proxy(tmp_path: Path) -> None:
    host = Tables(tmp_path, {"root": "o@b.test"}, MAIN + "alias_maps = proxy:hash:/etc/aliases\n")
    found = aliases.find(host) or ()
    assert [(one.kind, one.value) for one in found[0].targets or ()] == [("address", "o@b.test")]


def test_origin_in_a_file(tmp_path: Path) -> None:
    """As Debian's package sets it: myorigin is the path of a file."""
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/mailname").write_text("A.test\nb.test\n")
    host = Tables(tmp_path, {"postmaster": "alice"}, MAIN.replace("myorigin = a.test", "myorigin = /etc/mailname"))
    found = {one.name: one for one in aliases.find(host) or ()}["postmaster"]
    assert [(one.kind, one.value) for one in found.targets or ()] == [("mailbox", "alice")]

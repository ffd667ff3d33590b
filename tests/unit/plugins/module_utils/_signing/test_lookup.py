# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What dig says, and whom it asks."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.mailops.smtp.plugins.module_utils._signing.lookup import Lookup

ANSWERS: list[tuple[str, list[str] | None]] = [
    (";; ->>HEADER<<- opcode: QUERY, status: NXDOMAIN, id: 1\n", []),
    (";; ->>HEADER<<- opcode: QUERY, status: SERVFAIL, id: 1\n", None),
    ('; status: NOERROR,\na.test. 60 IN TXT "v=DKIM1\\; " "p=A"\n', ["v=DKIM1; p=A"]),
    ("; status: NOERROR,\na.test. 60 IN CNAME b.test.\n", []),
    ('; status: NOERROR,\na.test. 60 IN CNAME b.test.\nb.test. 60 IN TXT "v=DKIM1"\n', ["v=DKIM1"]),
    (";; status: NOERROR,\n;; flags: qr rd; QUERY: 1\n; EDNS: version: 0, flags:; udp: 1232\n", None),
    ("; status: NOERROR,\n;; flags: qr aa rd; QUERY: 1\n", []),
    ("; status: NXDOMAIN,\n;; flags: qr rd ra; QUERY: 1\n", []),
    (
        '; status: NOERROR,\na.test. 60 IN TXT "v=DKIM1;\\009p=A" "; n=\\195\\169\\\\"\n',
        ["v=DKIM1;\tp=A; n=\xc3\xa9\\"],
    ),
    ('; status: NOERROR,\na.test. 60 IN TXT "p=A"\na.test. 60 IN TXT "" "p" "=B"\n', ["p=A", "p=B"]),
]


@pytest.mark.parametrize(("output", "expected"), ANSWERS)
def test_what_dig_says(
    output: str, expected: list[str] | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "answer").write_text(output)
    dig = tmp_path / "dig"
    dig.write_text(f"#!/bin/sh\nexec /bin/cat {tmp_path}/answer\n")
    dig.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    assert Lookup([]).texts("a.test") == expected


#: What each server answers; the names to look up, the questions to the servers, and the records.
ROUNDS: list[tuple[dict[str, str], list[str], list[str], list[list[str] | None]]] = [
    # an alias, from a server that does not recurse and does not serve what it leads to
    (
        {
            "a.test.@192.0.2.1": "status: NOERROR\\na.test. 60 IN CNAME b.example.",
            "b.example.@192.0.2.1": "status: REFUSED",
            "b.example.": 'status: NOERROR\\nb.example. 60 IN TXT "p=A"',
        },
        ["a.test"],
        ["a.test.@192.0.2.1", "b.example.@192.0.2.1", "b.example."],
        [["p=A"]],
    ),
    # an alias, and no one who knows what it leads to
    (
        {"a.test.@192.0.2.1": "status: NOERROR\\na.test. 60 IN CNAME b.example."},
        ["a.test"],
        ["a.test.@192.0.2.1", "b.example.@192.0.2.1", "b.example."],
        [None],
    ),
    # a server that is down costs time once
    (
        {"a.test.@192.0.2.2": "status: NXDOMAIN", "c.test.@192.0.2.2": "status: NXDOMAIN"},
        ["a.test", "c.test"],
        ["a.test.@192.0.2.1", "a.test.@192.0.2.2", "c.test.@192.0.2.2"],
        [[], []],
    ),
]


@pytest.mark.parametrize(("answers", "names", "asked", "expected"), ROUNDS)
def test_which_server_is_asked(
    answers: dict[str, str],
    names: list[str],
    asked: list[str],
    expected: list[list[str] | None],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cases = "".join(f"{question}) printf '{answer}\\n';;\n" for question, answer in answers.items())
    dig = tmp_path / "dig"
    dig.write_text(
        "#!/bin/sh\nwhile [ $# -gt 0 ]; do case $1 in -q) q=$2;; @*) q=$q$1;; esac; shift; done\n"
        f'echo "$q" >>{tmp_path}/asked\ncase $q in\n{cases}*) exit 9;;\nesac\n'
    )
    dig.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    lookup = Lookup(["192.0.2.1"] if len(names) == 1 else ["192.0.2.1", "192.0.2.2"])
    assert [lookup.texts(name) for name in names] == expected
    assert (tmp_path / "asked").read_text().split() == asked

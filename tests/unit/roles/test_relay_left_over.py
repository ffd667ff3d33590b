# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the role removes of earlier runs: the files of programs that the relay no longer has."""

from __future__ import annotations

import subprocess
import sys
import typing as t
from pathlib import Path

import pytest
import yaml
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar, trust_as_template

ROLE = Path(__file__).parents[3] / "roles/relay/vars/main"
OAUTH, DKIM = "/var/lib/postfix-oauth", "/var/lib/relay-dkim"
OLD = ["old.token", "old.refresh", "old.token.new", "old.wanted", "old.of"]


def test_the_host_is_asked_the_same_before_and_after_packages_are_installed() -> None:
    asked = [
        task["mailops.smtp.relay_host_info"]
        for name in ("validate", "install")
        for task in yaml.safe_load((ROLE.parents[1] / f"tasks/{name}.yml").read_text())
        if "mailops.smtp.relay_host_info" in task
    ]
    assert len(asked) == 2
    assert asked[0] == asked[1]


@pytest.mark.parametrize(
    ("directories", "upstreams", "signs", "left_over"),
    [
        ({}, [], False, []),
        ({}, ["gmail"], True, []),
        (
            {OAUTH: ["gmail.token", "gmail.token.new", "gmail.wanted", "pycache"], DKIM: ["state.json"]},
            ["gmail"],
            True,
            [],
        ),
        ({OAUTH: ["gmail.token", "pycache", *OLD]}, ["gmail"], False, [f"{OAUTH}/{name}" for name in OLD]),
        ({OAUTH: ["gmail.token"]}, [], False, [OAUTH]),
        ({OAUTH: []}, [], False, [OAUTH]),  # a run that was killed had removed the tokens
        ({OAUTH: ["gmail.token"], DKIM: []}, ["gmail"], False, [DKIM]),
        ({OAUTH: ["a.b.token", "a-b.token", "a.token"]}, ["a.b"], False, [f"{OAUTH}/a-b.token", f"{OAUTH}/a.token"]),
        ({OAUTH: ["gmail2.token"]}, ["gmail"], False, [f"{OAUTH}/gmail2.token"]),
    ],
)
def test_what_is_left_over(
    directories: dict[str, list[str]], upstreams: list[str], signs: bool, left_over: list[str]
) -> None:
    known: dict[str, t.Any] = {}
    for name in ("files", "oauth", "signing"):
        known.update(yaml.safe_load((ROLE / f"{name}.yml").read_text()))
    names = ("__relay_left_over", "__relay_oauth_names")
    values = {
        **{name: trust_as_template(known[name]) for name in names},
        "__relay_oauth_state": known["__relay_oauth_state"],
        "__relay_dkim_state": known["__relay_dkim_state"],
        "__relay_host": {"directories": directories},
        "__relay_plan": {"oauth": [{"name": name} for name in upstreams], "dkim": {"domains": []} if signs else {}},
    }
    found = Templar(DataLoader(), variables=values).template(trust_as_template("{{ __relay_left_over }}"))
    assert found == left_over


@pytest.mark.parametrize(
    ("program", "ordered", "succeeds"),
    [
        ("", False, True),  # a first run was killed when it had made the directory
        ("import relay_certificate.missing", False, True),  # and when it had put a part of the program in place
        ("import relay_certificate.missing", True, False),
        ("raise SystemExit(0)", True, True),
        ("raise SystemExit(1)", True, False),
    ],
)
def test_a_part_of_the_certificate_program_keeps_no_one_from_removing_it(
    tmp_path: Path, program: str, ordered: bool, succeeds: bool
) -> None:
    """Unless certbot would go on with a certificate that no one uses."""
    known = yaml.safe_load((ROLE / "certificates.yml").read_text())
    lineage = tmp_path / "mailops-relay.conf"
    if program:
        (tmp_path / "__main__.py").write_text(program)
    if ordered:
        lineage.touch()
    values = {
        "__relay_certificate_command": [sys.executable, "-I", "-B", str(tmp_path)],
    }
    argv = Templar(DataLoader(), variables=values).template(trust_as_template(known["__relay_certificate_forget"]))
    words = [str(lineage) if word.endswith(lineage.name) else word for word in argv]
    assert (subprocess.run(words, check=False, capture_output=True).returncode == 0) is succeeds

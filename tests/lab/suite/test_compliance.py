# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbook compliance on the lab: what it finds on the relay of this collection, and what others confirm.

The vantage is the outsider, which is in no allowed network. One run is shared by the tests that only read its report.
"""

from __future__ import annotations

import dataclasses
import json
import typing as t
from pathlib import Path

import pytest

from ansible_collections.mailops.smtp.tests.lab.suite.plays import LAB, Play, run_play

PLAYBOOK = "playbooks/compliance.yml"
#: What a relay of this collection must meet, whatever the zone of the lab has.
MET = ("MR-AUTH-01", "MR-AUTH-03", "MR-AUTH-04", "MR-AUTH-05", "MR-RELAY-01", "MR-RELAY-02", "MR-RELAY-03", "MR-TLS-02")


@dataclasses.dataclass(frozen=True)
class Audit:
    """A run and its report."""

    play: Play
    directory: Path

    @property
    def report(self) -> dict[str, t.Any]:
        """The report as JSON."""
        return t.cast("dict[str, t.Any]", json.loads((self.directory / "report.json").read_text()))

    def states(self, host: str = "relay") -> dict[str, set[str]]:
        """The statuses of each control on a host."""
        found: dict[str, set[str]] = {}
        (one,) = [one for one in self.report["hosts"] if one["host"] == host]
        for result in one["results"]:
            found.setdefault(result["finding"]["control"], set()).add(result["finding"]["status"])
        return found


@pytest.fixture(scope="session")
def audit(relay: t.Any, hosts: dict[str, t.Any], passwords: dict[str, str]) -> t.Callable[..., Audit]:
    """``audit(name, **variables)`` runs the playbook on the relay, as seen by the outsider."""
    prefix = relay.check_output("hostname -I").strip().rpartition(".")[0]

    def run(name: str, *options: str, **variables: t.Any) -> Audit:
        directory = LAB / "compliance" / name
        given = {
            "mailops_relays": "relay",
            "compliance_directory": str(directory),
            "compliance_vantages": ["outsider"],
            "compliance_address": "relay.sender.test",
            "compliance_recipient": "inbox@dest.test",
            "compliance_accounts": [
                {
                    "username": "app@sender.test",
                    "password": passwords["app@sender.test"],
                    "other_sender": "boss@sender.test",
                }
            ],
            "compliance_dns": {"nameservers": [f"{prefix}.2"]},
            "compliance_fail_on": "never",
            **variables,
        }
        return Audit(run_play(f"compliance-{name}", PLAYBOOK, *options, extra=given), directory)

    return run


@pytest.fixture(scope="session")
def first(audit: t.Callable[..., Audit]) -> Audit:
    return audit("first")


def test_relay_of_this_collection_meets_its_controls(first: Audit) -> None:
    states = first.states()
    assert {control: states[control] for control in MET} == {control: {"pass"} for control in MET}, first.play.tail


def test_nothing_is_changed_and_no_secret_is_written(first: Audit, passwords: dict[str, str]) -> None:
    assert first.play.count("relay", "changed") == 0
    written = "".join(path.read_text(errors="replace") for path in first.directory.rglob("*") if path.is_file())
    assert [name for name, secret in passwords.items() if secret in written or secret in first.play.output] == []


def test_message_of_proof_arrives(first: Audit, read_mail: t.Callable[..., t.Any]) -> None:
    evidence = json.loads((first.directory / "evidence/relay.json").read_text())["evidence"]
    (proof,) = [one for one in evidence if one["kind"] == "proof"]
    message = proof["facts"]["messages"][0]
    assert message["hops"][-1]["status"] == "sent"
    assert read_mail(message["nonce"]) is not None


def test_check_mode_sends_nothing_and_writes_nothing(audit: t.Callable[..., Audit]) -> None:
    found = audit("check", "--check")
    assert not found.directory.exists()
    assert "Prove |" not in found.play.output


def test_host_that_is_down_is_an_error_and_the_others_are_judged(audit: t.Callable[..., Audit]) -> None:
    found = audit("down", "-e", "ansible_port=1", compliance_fail_on="high")
    assert found.play.code == 2
    assert found.states()["MR-HOST-01"] == {"error"}


@pytest.mark.parametrize(
    ("name", "defect", "repair", "control"),
    [
        ("expn", "postconf -e disable_vrfy_command=no && postfix reload", "", "MR-SMTP-02"),
        ("networks", "postconf -e mynetworks=0.0.0.0/0 && postfix reload", "", "MR-RELAY-02"),
        ("key", "chmod 0644 $(postconf -h smtpd_tls_chain_files | cut -d, -f1)", "", "MR-TLS-08"),
    ],
)
def test_defect_turns_its_control(
    audit: t.Callable[..., Audit], relay: t.Any, name: str, defect: str, repair: str, control: str
) -> None:
    """A draft of the table of defects: planted directly, and seen by the control that it concerns."""
    relay.check_output("cp -a /etc/postfix /root/postfix.kept")
    try:
        relay.check_output(defect)
        assert "fail" in audit(f"defect-{name}").states()[control]
    finally:
        relay.check_output("cp -a /root/postfix.kept/. /etc/postfix/ && rm -r /root/postfix.kept && postfix reload")
        if repair:
            relay.check_output(repair)

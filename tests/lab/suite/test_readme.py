# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The README's examples, run as written except for the names of hosts."""

from __future__ import annotations

import typing as t
from pathlib import Path

import yaml

from ansible_collections.mailops.smtp.tests.lab.suite.plays import LAB, ROOT, run_play

#: Names of the README, and the names of the lab that replace them.
NAMES = {
    "smtp.example.com": "smtp.provider.test",
    "smtp.provider.example": "smtp.provider.test",
    "deploy@example.com": "deploy@provider.test",
    "relay@example.com": "relay@provider.test",
    "relay.example.com": "relay.sender.test",
    "ops@example.com": "ops@dest.test",
    "postmaster@example.com": "postmaster@dest.test",
    "example.com": "sender.test",
}


def example(heading: str, more: t.Mapping[str, str]) -> t.Any:
    """Return the YAML below a heading of the README, with the names of the lab."""
    text = (ROOT / "README.md").read_text().split(f"\n## {heading}\n")[1]
    code = text.split("```yaml\n")[1].split("```")[0]
    for name, replacement in {**more, **NAMES}.items():
        code = code.replace(name, replacement)
    assert "example" not in code, code
    return yaml.safe_load(code)


def play(name: str, content: t.Any, **extra: t.Any) -> None:
    path: Path = LAB / f"readme-{name}.yml"
    path.write_text(yaml.safe_dump(content, allow_unicode=True))
    run_play(f"readme-{name}", str(path), "--limit", "all,!canaries", extra=extra).succeeded()


def test_the_send_example_delivers_a_message(
    hosts: dict[str, t.Any], passwords: dict[str, str], read_mail: t.Callable[..., t.Any]
) -> None:
    hosts["client"].check_output("echo built > /var/tmp/build.log")
    tasks = example("The first message", {})
    play(
        "send",
        [{"hosts": "client", "gather_facts": False, "tasks": tasks}],
        vault_smtp_password=passwords["deploy@provider.test"],
    )
    message = read_mail("client is up to date", mailbox="ops@dest.test")
    assert next(message.iter_attachments()).get_filename() == "build.log"


def test_the_relay_example_configures_a_relay(relay: t.Any, passwords: dict[str, str], hosts: dict[str, t.Any]) -> None:
    content = example("The first relay", {"192.0.2.0/24": hosts["client"].check_output("hostname -I").strip()})
    play(
        "relay",
        content,
        vault_app_password=passwords["app@sender.test"],
        vault_upstream_password=passwords["relay@provider.test"],
    )
    assert "587" in relay.check_output("ss -H -ltn")
    assert "465" not in relay.check_output("ss -H -ltn")
    run_play("readme-restore", "playbooks/relay.yml").succeeded()


def test_the_dns_example_passes(hosts: dict[str, t.Any]) -> None:
    address = hosts["relay"].check_output("hostname -I").strip()
    prefix = address.rpartition(".")[0]
    tasks = example(
        "Check the DNS", {"192.0.2.25": address, "on_finding: fail": f"on_finding: fail\n    nameservers: [{prefix}.2]"}
    )
    play("dns", [{"hosts": "client", "gather_facts": False, "tasks": tasks}])

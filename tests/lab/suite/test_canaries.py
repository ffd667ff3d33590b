# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role on the oldest release and on the one to come, Debian 11 and testing.

Testing changes every day, so a failure here need not be a fault of the role. ``lab up`` leaves both hosts out, and
their tests are skipped. Run them with ``tests/lab/lab up relay11 relay14``, then
``LAB_KEEP=1 tests/lab/run -k canaries``.
"""

from __future__ import annotations

import subprocess
import typing as t
import uuid
from email.message import EmailMessage

import pytest
import yaml

from ansible_collections.mailops.smtp.tests.lab.suite.plays import LAB, RELAY, ROOT, run_play

pytestmark = pytest.mark.second_lab

APP = "app@sender.test"
PLATFORMS = yaml.safe_load((ROOT / "roles/relay/vars/main/platforms.yml").read_text())["__relay_platforms"]
CANARIES = {"relay11": "Debian-11", "relay14": "Debian-testing"}


@pytest.fixture(scope="module", params=CANARIES)
def canary(request: pytest.FixtureRequest, hosts: dict[str, t.Any]) -> str:
    """Name of a canary on which the role has run, from a bare host."""
    name = str(request.param)
    ask = ["ssh", "-F", str(LAB / "ssh_config"), "-o", "ConnectTimeout=3", name, "true"]
    if subprocess.run(ask, capture_output=True, timeout=30, check=False).returncode:
        pytest.skip(f"{name} is not there: tests/lab/lab up {name}")
    play = run_play(f"canaries-{name}", RELAY, relay=name).succeeded()
    assert play.count(name, "changed") >= 3 or hosts[name].file("/var/lib/mailops/relay").exists
    return name


def test_values_match_the_platform_table(canary: str, hosts: dict[str, t.Any]) -> None:
    facts, host = PLATFORMS[CANARIES[canary]], hosts[canary]
    version, *map_types = host.check_output("postconf -dh mail_version && postconf -m").splitlines()
    assert version.rpartition(".")[0] == facts["postfix"]["version"].rpartition(".")[0]
    assert set(facts["postfix"]["map_types"]) <= set(map_types)
    assert host.check_output("dovecot --version").startswith(f"{facts['dovecot']}.")
    host.check_output(f"systemctl is-active {facts['units'][-1]} dovecot && postfix status")


def test_a_second_run_changes_nothing(canary: str) -> None:
    assert run_play(f"canaries-{canary}-second", RELAY, relay=canary).succeeded().count(canary, "changed") == 0


@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-256"])
def test_a_client_with_a_login_can_send(
    canary: str,
    send: t.Callable[..., dict[str, t.Any]],
    read_mail: t.Callable[..., EmailMessage | None],
    passwords: dict[str, str],
    mechanism: str,
) -> None:
    nonce = uuid.uuid4().hex
    login = {"username": APP, "password": passwords[APP], "auth_mechanism": mechanism}
    message = {"from": APP, "to": "inbox@dest.test", "subject": nonce}
    sent = send("client", host=f"{canary}.sender.test", port=587, tls="starttls", **login, **message)
    assert sent["recipients"][0]["status"] == "sent", sent
    assert read_mail(nonce) is not None


def test_removal_restores_the_host(canary: str, hosts: dict[str, t.Any]) -> None:
    run_play(f"canaries-{canary}-absent", RELAY, extra={"relay_state": "absent"}, relay=canary).succeeded()
    assert not hosts[canary].file("/var/lib/mailops/relay").exists
    assert hosts[canary].run("systemctl is-active postfix").stdout.strip() != "active"

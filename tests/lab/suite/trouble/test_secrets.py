# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A failed run with ``-vvvv --diff`` leaks no secret, in no output, file or process."""

from __future__ import annotations

import concurrent.futures
import subprocess
import typing as t
import uuid
from pathlib import Path

import pytest

from ansible_collections.mailops.smtp.tests.lab.suite.plays import BUILD, LAB, LOGS, run_play
from ansible_collections.mailops.smtp.tests.lab.suite.test_role import forms_of, key_body
from ansible_collections.mailops.smtp.tests.lab.suite.trouble.conftest import relay_tls

#: Stage at which the run fails, the variables that cause it, and the words of the error.
ENDINGS: dict[str, tuple[dict[str, t.Any], str]] = {
    "validation": ({"relay_networks": ["0.0.0.0/0"]}, "would let strangers"),
    "canary": ({"relay_settings": {"smtpd_tls_loglvl": 1}}, "unused parameter: smtpd_tls_loglvl=1"),
    "undo": ({"relay_listeners": [{"port": 25}, {"port": 587}, {"port": 2525}]}, "Everything was put back"),
}
SEARCH = "grep -rlFs -e %s / --exclude-dir=proc --exclude-dir=sys --exclude-dir=packages"


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_failed_run_leaks_no_secret(
    variables: dict[str, t.Any], hosts: dict[str, t.Any], probe: t.Callable[..., t.Any], ending: str
) -> None:
    """Uses secrets that no other run has deployed, so that any occurrence comes from this run."""
    fails, words = ENDINGS[ending]
    relay, tls = hosts["relay"], relay_tls()
    login, password = (f"{uuid.uuid4().hex}-{number}" for number in range(2))
    secret = {
        "relay_upstream": {**variables["relay_upstream"], "password": login},
        "relay_users": [{"name": "app@sender.test", "password": password}],
        "relay_tls": tls,
    }
    stop = f"/root/watched-{login[:8]}"
    relay.check_output("systemd-run --quiet --unit=holder python3 -m http.server 2525")  # occupies a port of Postfix
    with concurrent.futures.ThreadPoolExecutor() as pool:
        watched = pool.submit(probe, "relay", "watch_processes", until=stop)
        try:
            play = run_play(f"trouble-secrets-{ending}", "playbooks/relay.yml", extra={**variables, **secret, **fails})
        finally:
            relay.check_output(f"touch {stop}; systemctl stop holder")
        seen = "\n".join(watched.result())
        relay.check_output(f"rm {stop}")
    assert play.code != 0
    assert play.says(words)
    secrets = forms_of([login, password, key_body(Path(tls["key"]))])
    for path in (tls["key"], LAB / "extra-vars.json"):
        Path(path).unlink()
    assert "&& sleep 0" in seen or ending == "validation", "no process of the play was seen, so the test proves nothing"
    assert not [form for form in secrets if form in seen], "a process had a secret in its arguments or environment"
    for log in LOGS.glob("*.log"):
        assert not [form for form in secrets if form in log.read_text()], f"{log.name} contains a secret"
    assert relay.run(SEARCH, "\n".join(secrets)).stdout == ""
    assert relay.run("journalctl --no-pager -o cat | grep -F -e %s", "\n".join(secrets)).stdout == ""
    assert left_on_the_controller(secrets) == []


def left_on_the_controller(secrets: list[str]) -> list[str]:
    """Return Ansible's temporary files on the controller that contain a secret."""
    folders = [str(folder) for folder in (BUILD / "tmp", Path.home() / ".ansible") if folder.exists()]
    found = subprocess.run(
        ["grep", "-rlFs", "-f", "-", *folders], input="\n".join(secrets), capture_output=True, text=True, check=False
    )
    return found.stdout.split()

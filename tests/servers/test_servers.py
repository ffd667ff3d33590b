# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""smtp_send and smtp_info, as a playbook calls them, against servers that others wrote.

Each message arrives, and arrives once; each server is understood.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import typing as t
from pathlib import Path

import pytest
import trustme

from ansible_collections.mailops.smtp.tests.servers.server import (
    PASSWORD,
    USERNAME,
    Running,
    Server,
    Unavailable,
    running,
)

ROOT = Path(__file__).parents[2]
NUMBER = 24
SERVERS = [
    # Haraka answers each command behind the end of a message with 503: it takes them for smuggled ones.
    Server("haraka", "npm", r"[0-9A-F-]{36}\.\d+", takes_ahead=False),
    Server("smtp-server", "npm", r"message\d+"),
    Server("exim", "debian", r"[0-9A-Za-z]{6}-[0-9A-Za-z]{6,11}-[0-9A-Za-z]{2,4}"),
    Server("sendmail", "debian", r"[0-9A-Za-z]{14}"),
    Server("opensmtpd", "debian", r"[0-9a-f]{8}", login=False, takes_ahead=None),
]


@pytest.fixture(scope="module", params=SERVERS, ids=[server.name for server in SERVERS])
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> t.Iterator[tuple[Server, Running, Path]]:
    folder = tmp_path_factory.mktemp(request.param.name)
    authority = trustme.CA()
    pem = authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.bytes()
    authority.cert_pem.write_to_path(folder / "ca.pem")
    try:
        with running(request.param, pem, folder) as started:
            yield request.param, started, folder
    except Unavailable as error:
        pytest.skip(f"{request.param.name}: {error}")


def run(module: str, folder: Path, **options: t.Any) -> dict[str, t.Any]:
    """Run a playbook with one task, and return its result."""
    result = folder / "result.json"
    play = {
        "hosts": "localhost",
        "gather_facts": False,
        "tasks": [
            {f"mailops.smtp.{module}": options, "register": "sent", "ignore_errors": True},
            {"ansible.builtin.copy": {"content": "{{ sent | to_json }}", "dest": str(result)}},
        ],
    }
    (folder / "play.yml").write_text(json.dumps([play]))
    environment = {**os.environ, "ANSIBLE_CONFIG": str(ROOT / "tests/ansible.cfg")}
    command = [str(Path(sys.executable).parent / "ansible-playbook"), "-i", "localhost,", "-c", "local"]
    done = subprocess.run(
        [*command, str(folder / "play.yml")], env=environment, check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    answer: dict[str, t.Any] = json.loads(result.read_text())
    return answer


@pytest.mark.parametrize("send_ahead", [None, True], ids=["in-turn", "ahead"])
@pytest.mark.parametrize("connections", [1, 4])
def test_each_message_arrives_once(
    server: tuple[Server, Running, Path], connections: int, send_ahead: bool | None
) -> None:
    kind, started, folder = server
    result = run(
        "smtp_send",
        folder,
        host="127.0.0.1",
        port=started.port,
        **({"tls": "starttls", "username": USERNAME, "password": PASSWORD} if kind.login else {"tls": "none"}),
        ca_file=str(folder / "ca.pem"),
        connections=connections,
        send_ahead="{{ omit }}" if send_ahead is None else send_ahead,
        messages=[
            {
                "from": "app@example.test",
                "to": [f"reader{number}@example.test"],
                "subject": f"{number}",
                "body": f".\n..{number}\n",
            }
            for number in range(NUMBER)
        ],
    )
    assert result["summary"] == {"sent": NUMBER, "refused": 0, "deferred": 0, "unknown": 0}, result["msg"]
    sent = [message["message_id"] for message in result["messages"]]
    assert sorted(started.arrived_of(sent)) == sorted(sent)
    for message in result["messages"]:
        assert re.fullmatch(kind.queue_id, message["queue_id"] or ""), message
    if send_ahead and connections == 1 and kind.takes_ahead is not None:
        assert (result["sessions"][0]["round_trips"] < 1.5 * NUMBER) is kind.takes_ahead


def test_each_step_is_told(server: tuple[Server, Running, Path]) -> None:
    kind, started, folder = server
    login = {"tls": "starttls", "username": USERNAME, "password": PASSWORD, "wrong_login": True}
    result = run(
        "smtp_info",
        folder,
        host="127.0.0.1",
        port=started.port,
        ca_file=str(folder / "ca.pem"),
        **(login if kind.login else {"tls": "none"}),
        sender="app@example.test",
        recipient="reader@example.test",
        test_message=True,
    )
    assert result["passed"], result["msg"]
    facts = result["evidence"]["facts"]
    assert facts["greeting"]["code"] == 220
    assert re.fullmatch(kind.queue_id, facts["message"]["queue_id"] or ""), facts["message"]
    assert result["evidence"]["unknown"] == []
    if kind.login:
        assert facts["login"]["accepted"]
        assert not facts["wrong_login"]["accepted"]
        assert facts["ehlo_in_tls"]["auth_mechanisms"]
        assert facts["tls"]["chain"][0]["names"] == ["127.0.0.1"]


#: What is given, and the step at which it stops.
MISTAKES: list[tuple[dict[str, t.Any], str]] = [
    ({"password": "wrong"}, "login"),
    ({"tls": "implicit"}, "tls"),
    ({"ca_file": "{{ omit }}"}, "tls"),
    ({"ca_file": "{{ omit }}", "validate_certs": False, "pinned_certificates": ["00" * 32]}, "tls"),
]


@pytest.mark.parametrize(("given", "step"), MISTAKES)
def test_a_mistake_is_told(server: tuple[Server, Running, Path], given: dict[str, t.Any], step: str) -> None:
    kind, started, folder = server
    if not kind.login:
        pytest.skip("this server has no TLS here")
    options = {"tls": "starttls", "username": USERNAME, "password": PASSWORD, "ca_file": str(folder / "ca.pem")}
    result = run("smtp_info", folder, host="127.0.0.1", port=started.port, **{**options, **given})
    assert result["stopped_at"] == step, result["msg"]
    failed = next(one for one in result["steps"] if one["step"] == step)
    assert failed["state"] == "failed"
    assert failed["advice"]
    assert bool(result["certificate_accepted_by"]) == (step == "tls" and "tls" not in given)

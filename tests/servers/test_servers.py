# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""smtp_send, as a playbook calls it, against servers that others wrote: each message arrives, and arrives once."""

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


def send(folder: Path, **options: t.Any) -> dict[str, t.Any]:
    """Run a playbook with one task, and return its result."""
    result = folder / "result.json"
    play = {
        "hosts": "localhost",
        "gather_facts": False,
        "tasks": [
            {"mailops.smtp.smtp_send": options, "register": "sent", "ignore_errors": True},
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
    result = send(
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

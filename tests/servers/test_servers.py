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

from ansible_collections.mailops.smtp.tests.servers.server import PASSWORD, USERNAME, Running, Server, Unavailable, running

ROOT = Path(__file__).parents[2]
NUMBER = 24
SERVERS = [
    Server("haraka", "npm", r"[0-9A-F-]{36}\.\d+"),
    Server("smtp-server", "npm", r"message\d+"),
    Server("exim", "debian", r"[0-9A-Za-z]{6}-[0-9A-Za-z]{6,11}-[0-9A-Za-z]{2,4}"),
    Server("sendmail", "debian", r"[0-9A-Za-z]{14}"),
    Server("opensmtpd", "debian", r"[0-9a-f]{8}"),
]


@pytest.fixture(params=SERVERS, ids=[server.name for server in SERVERS])
def server(request: pytest.FixtureRequest, tmp_path: Path) -> t.Iterator[tuple[Server, Running, Path]]:
    # OpenSMTPD 6.8 fails with an elliptic key.
    authority = trustme.CA(key_type=trustme.KeyType.RSA)
    pem = authority.issue_cert("127.0.0.1", key_type=trustme.KeyType.RSA).private_key_and_cert_chain_pem.bytes()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    try:
        with running(request.param, pem, tmp_path) as started:
            yield request.param, started, tmp_path
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
    command = [Path(sys.executable).parent / "ansible-playbook", "-i", "localhost,", "-c", "local", folder / "play.yml"]
    done = subprocess.run(command, env=environment, check=False, capture_output=True, text=True)
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
        tls="starttls",
        ca_file=str(folder / "ca.pem"),
        username=USERNAME,
        password=PASSWORD,
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
    assert sorted(started.message_ids(NUMBER)) == sorted(sent)
    for message in result["messages"]:
        assert re.fullmatch(kind.queue_id, message["queue_id"] or ""), message
    print(result["messages"][0], result)

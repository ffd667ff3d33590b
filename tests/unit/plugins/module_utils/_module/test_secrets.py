# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Secrets that are not an option's own value, and warnings: nothing of them is shown, whatever the version of Ansible.

The plays run with the ansible-core of this environment; ``make test`` runs these tests with the oldest and the newest.
"""

from __future__ import annotations

import base64
import http.server
import json
import re
import threading
import time
import typing as t
from pathlib import Path

import pytest
from ansible.module_utils import basic
from ansible.module_utils.testing import patch_module_args

from ansible_collections.mailops.smtp.plugins.module_utils._module import config_transaction, secrets
from ansible_collections.mailops.smtp.plugins.module_utils._sasl.scrubbing import encoded_forms, masked
from ansible_collections.mailops.smtp.plugins.modules import mail_dns_info, smtp_send
from ansible_collections.mailops.smtp.tests.fault.peer import Peer
from ansible_collections.mailops.smtp.tests.unit.support.dns_server import DnsServer, serve
from ansible_collections.mailops.smtp.tests.unit.support.playbook import run_playbook

from .conftest import OWNER

ROOT = Path(__file__).resolve().parents[5]

#: A line of a secret file -> what must not be shown, on its own either.
LINES = {
    "just-a-l1ne": ["just-a-l1ne"],
    "user:hunter2-secret": ["hunter2-secret"],
    "[mx.example.com]:587 user@x.test:hunter2-pw": ["hunter2-pw", "user@x.test:hunter2-pw"],
    "password = hunter2 and more": ["hunter2 and more"],
    "password: 'hunter2 quoted'": ["hunter2 quoted"],
    'key "k" { algorithm hmac-sha256; secret "aHVudGVyMg"; };': ["aHVudGVyMg"],
    "app:{PLAIN}hunter2:1000:1000::/home/app:": ["hunter2", "{PLAIN}hunter2"],
    "app@x.test:{SCRAM-SHA-256}4096,c2FsdA==,a2V5,b3RoZXI=:::": ["{SCRAM-SHA-256}4096,c2FsdA==,a2V5,b3RoZXI="],
    "relay = smtp://user:p%40ss-w0rd@mx.test:587": ["p%40ss-w0rd", "p@ss-w0rd"],
    "umläut-pässwort": ["umläut-pässwort"],
    "client_secret = correcthorse": ["correcthorse"],
}


@pytest.mark.parametrize(("line", "hidden"), LINES.items(), ids=list(LINES))
def test_lines_of_a_secret_file(line: str, hidden: list[str]) -> None:
    assert config_transaction._lines_in(f"ok\n  {line}\n") == [line]
    assert set(hidden) <= config_transaction._values_in(line) | {line}


@pytest.mark.parametrize(
    "text",
    [
        "@x.test reject",
        "domain = sender.test",
        "yes",
        "-----BEGIN PRIVATE KEY-----",
        "mode=on",
        "key_file = /etc/ssl/private.key",
    ],
)
def test_words_that_must_stay_readable(text: str) -> None:
    assert [one for line in config_transaction._lines_in(text) for one in config_transaction._values_in(line)] == []


def test_what_is_public_in_the_same_task_stays_readable() -> None:
    module: t.Any = Module()
    public = {"path": "/etc/app/main.cf", "content": "restrictions = reject_unauth, permit"}
    module.params = {"files": [public, {"path": "/etc/app/users", "content": None}]}
    config_transaction._hide(module, [b"@sender.test reject\napp hunter2-secret\n"])
    assert "reject" not in module.no_log_values
    assert {"@sender.test reject", "hunter2-secret"} <= module.no_log_values


class Module:
    """What hiding needs of a module."""

    def __init__(self, no_log: bool = False, no_log_values: t.Iterable[str] = ()) -> None:
        self.no_log = no_log
        self.no_log_values = set(no_log_values)
        self.warnings: list[str] = []

    def warn(self, warning: str) -> None:
        self.warnings.append(warning)


@pytest.mark.parametrize("secret", ["hunter2-hunter2", 'with "quotes" and \\', "umläut-pässwort", "bad-\udce4-octets"])
def test_result_is_masked_in_every_encoding(secret: str) -> None:
    module = Module()
    secrets.hide(module, [secret])
    forms = encoded_forms([secret])
    shown = [f"<{form}>" for form in forms]
    result = {"msg": shown[0], "lines": shown, "number": 1, "nested": [{"all": "".join(shown)}]}
    discreet = masked(result, module.no_log_values)
    assert not [form for form in forms if form in repr(discreet)]
    assert discreet["number"] == 1


def test_very_many_secrets_are_hidden_in_clear() -> None:
    module = Module()
    secrets.hide(module, (f"secret-of-user-{number}" for number in range(2000)))
    assert len(module.no_log_values) == 2000


# Plays

OLD, NEW, TOKEN, PROXY = "first-hunter2-file", "second-hunter2-file", "ya29.fetched-t0ken", "proxy-hunter2"
SECRETS = (OLD, NEW, TOKEN, PROXY)


def encoded(secret: str) -> set[str]:
    return {form for form in encoded_forms([secret]) if len(form) > 7}


class _Tokens(http.server.BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = json.dumps({"access_token": TOKEN, "token_type": "Bearer"}).encode()
        self.send_response(200)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_arguments: object) -> None:
        pass


def _tasks(folder: Path, token_port: int, port: int) -> dict[str, dict[str, t.Any]]:
    target = folder / "app.conf"
    file = {"path": str(target), "mode": "0600", **OWNER}
    show = [f"cat {target}", f"cut -d: -f2 {target}", f"base64 -w0 {target}", f'printf x%s "$(cat {target})" | base64']
    refuse = {"validators": [{"command": ["sh", "-c", f"({'; '.join(show)}) >&2"]}]}
    server = {"host": "127.0.0.1", "port": port, "tls": "none", "to": "a@x.test", "from": "b@x.test", "subject": "S"}
    login = {"username": "u", "allow_cleartext_login": True, "auth_mechanism": "XOAUTH2"}
    grant = {"token_url": f"http://127.0.0.1:{token_port}/", "client_id": "c", "client_secret": "client-hunter2"}
    transactions: dict[str, dict[str, t.Any]] = {
        "first": {"files": [{**file, "secret": f"user:{OLD}\n"}]},
        "refused": {"files": [{**file, "secret": f"user:{NEW}\n"}], **refuse},
        "open": {"files": [{**file, "content": "open\n"}], **refuse},
        "unhealthy": {"files": [{**file, "secret": f"user:{NEW}\n"}], "health": [["sh", "-c", f"cat {target}; false"]]},
        "removed": {"state": "absent"},
    }
    sends = {
        "token": {**server, **login, "oauth": grant},
        "proxy": {**server, "proxy": f"http://user:{PROXY}@127.0.0.1:1"},
        "pasted": {**server, "host": f"smtp://user:{PROXY}@127.0.0.1"},
    }
    return {
        **{name: {"mailops.smtp.config_transaction": {"name": "app", **one}} for name, one in transactions.items()},
        **{name: {"mailops.smtp.smtp_send": one} for name, one in sends.items()},
    }


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The output of one play with all tasks, and the results that it kept."""
    folder = tmp_path_factory.mktemp("secrets")
    echo = base64.b64encode(f"user=u\1auth=Bearer {TOKEN}\1\1".encode()).decode()
    replies = {"AUTH": f"535 5.7.8 {echo} is not {TOKEN}"}
    with (
        http.server.HTTPServer(("127.0.0.1", 0), _Tokens) as tokens,
        Peer(replies=replies, extensions=("AUTH XOAUTH2",)) as peer,
    ):
        threading.Thread(target=tokens.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        tasks = _tasks(folder, tokens.server_port, peer.port)
        kept = {"content": "{{ {" + ", ".join(f"'{name}': {name}" for name in tasks) + "} | to_json }}"}
        steps = [{"name": name, "register": name, "ignore_errors": True, **task} for name, task in tasks.items()]
        keep = {"ansible.builtin.copy": {**kept, "dest": f"{folder}/kept.json"}, "no_log": True}
        debug = {"ansible.builtin.debug": {"var": "refused"}}
        play = {"hosts": "localhost", "gather_facts": False, "tasks": [*steps, debug, keep]}
        (folder / "play.json").write_text(json.dumps([play]))
        output = run_playbook("-vvv", "--diff", "play.json", cwd=folder, home=folder / "home")
        tokens.shutdown()
    assert (folder / "kept.json").exists(), output
    results = json.loads((folder / "kept.json").read_text())
    for result in results.values():
        result.pop("invocation", None)  # in 2.22 it is as Ansible leaves it
    return {"output": output, **{name: json.dumps(result) for name, result in results.items()}}


def test_every_task_did_what_it_should(played: dict[str, str]) -> None:
    """Otherwise the test of secrets would prove nothing."""
    words = {
        "first": '"changed": true',
        "refused": "the new configuration is not valid",
        "open": "the new configuration is not valid",
        "unhealthy": '"step": "health"',
        "removed": '"removed_files": [',
        "token": "535",
        "proxy": '"stage": "connect"',
        "pasted": '"failed": true',
    }
    for name, expected in words.items():
        assert expected in played[name], (name, played[name])


@pytest.mark.parametrize("secret", SECRETS)
def test_no_secret_in_output_or_results(played: dict[str, str], secret: str) -> None:
    for name, text in played.items():
        lines = [line for line in text.splitlines() if any(form in line for form in encoded(secret))]
        assert not lines, (name, lines[:3])


# Warnings

WORD = "warn-hunter2"


def _refuse_half(port: int) -> dict[str, t.Any]:
    server = {"host": "127.0.0.1", "port": port, "tls": "none", "ehlo_name": f"{WORD}.test"}
    login = {"username": WORD, "password": WORD, "allow_cleartext_login": True}
    message = {"from": f"{WORD}@x.test", "subject": WORD, "body": WORD, "headers": {"X-A": WORD}}
    return {**server, **login, **message, "to": ["a@x.test", f"{WORD}@x.test"], "partial": "warn"}


@pytest.fixture
def warnings(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    found: list[str] = []
    monkeypatch.setattr(basic.AnsibleModule, "warn", lambda _module, warning: found.append(warning))
    return found


def _echoing_peer(connections: int) -> Peer:
    """A server that repeats the secret, and accepts one connection, which lasts until it has refused the others."""
    echo = base64.b64encode(WORD.encode()).decode()
    others = threading.Semaphore(0)

    def refuse(moment: t.Any) -> str | None:
        if moment.stage == "GREETING" and moment.connection > 1:
            others.release()
            return f"421 4.7.0 too many, {WORD} {echo}"
        if moment.stage == "MAIL" and not waited:
            waited.append(all(others.acquire(timeout=10) for _number in range(connections - 1)))
            time.sleep(0.5 * (connections - 1))  # until the client has read the last of them
        return f"550 5.1.1 {WORD} {echo} unknown" if moment.stage == "RCPT" and WORD in moment.recipient else None

    waited: list[bool] = []
    return Peer(disturb=refuse, extensions=("AUTH PLAIN",))


#: Each source of warnings, and whether the task has no_log. mail_dns_info has no secret options.
WARNINGS = [("partial", False), ("partial", True), ("connections", False), ("connections", True), ("finding", True)]


@pytest.mark.parametrize(("source", "no_log"), WARNINGS)
def test_no_warning_holds_a_secret(
    source: str, no_log: bool, warnings: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """Every user-supplied value holds the secret, and the server repeats it."""
    with _echoing_peer(2 if source == "connections" else 1) as peer, serve(DnsServer(zone={f"{WORD}.test": {}})) as dns:
        one = _refuse_half(peer.port)
        each = [{"to": f"{name}@x.test"} for name in ("a", WORD, "c", "d")]
        many = {**{name: value for name, value in one.items() if name != "to"}, "messages": each, "connections": 2}
        entry, options = {
            "partial": (smtp_send.main, one),
            "connections": (smtp_send.main, many),
            "finding": (
                mail_dns_info.main,
                {"domain": f"{WORD}.test", "hostname": f"m.{WORD}.test", "nameservers": [dns.nameserver]},
            ),
        }[source]
        with patch_module_args({**options, "_ansible_no_log": no_log}), pytest.raises(SystemExit):
            entry()
    said = "Fewer connections" if source == "connections" else ""
    assert [one for one in warnings if said in one], capsys.readouterr().out
    assert not [one for one in warnings if any(form in one for form in encoded_forms([WORD]))]
    assert not no_log or all("no_log hides" in one for one in warnings)


def test_modules_warn_in_one_place() -> None:
    found = [
        str(path.relative_to(ROOT))
        for path in (ROOT / "plugins").rglob("*.py")
        if re.search(r"\.(warn|warning|deprecate|deprecated)\(", path.read_text(encoding="utf-8"))
    ]
    assert found == ["plugins/module_utils/_module/secrets.py"]

# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Time plays on the lab's hosts as a user sees them, and write the role's play as plain tasks."""

from __future__ import annotations

import json
import os
import re
import subprocess
import time
import typing as t
from dataclasses import dataclass
from pathlib import Path

from ansible_collections.mailops.smtp.tests.bench.measure import BENCH, ROOT

ROLE = ROOT / "playbooks/relay.yml"
PLAIN = BENCH / "plain/play.json"
TRANSACTION = "mailops.smtp.config_transaction"
#: Actions that run on the controller only and cost no time on a host; a plain play would have fewer of them.
CONTROL = ("assert", "include_tasks", "import_tasks", "debug", "set_fact", "validate_argument_spec")


@dataclass(frozen=True)
class Play:
    """One run of ansible-playbook: wall-clock seconds, and the entries of ``callback/record.py`` for its tasks."""

    seconds: float
    tasks: list[dict[str, t.Any]]
    output: str

    def changed(self) -> int:
        """Return the number of changed tasks on all hosts."""
        return sum(map(int, re.findall(r"\bchanged=(\d+)", self.output)))

    def reached(self, host: str) -> int:
        """Return the number of tasks that connected to the host over ssh. Needs ``-vvv``."""
        return sum(f"<{host}> SSH: EXEC" in part for part in re.split(r"^TASK \[", self.output, flags=re.MULTILINE))


def run_play(
    playbook: Path, hosts: str, *options: str, extra: t.Mapping[str, t.Any] | None = None, wrap: t.Any = subprocess.run
) -> Play:
    """Run a playbook on hosts of the lab and require that it succeeds."""
    record = BENCH / "record.json"
    variables = json.dumps({"mailops_relays": hosts, **(extra or {})})
    command = [str(ROOT / ".build/venv/bin/ansible-playbook"), str(playbook), "--extra-vars", variables, *options]
    began = time.monotonic()
    done = wrap(command, env=environment(record), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    seconds = time.monotonic() - began
    output = done.stdout.decode("utf-8", "replace")
    assert done.returncode == 0, output[-5000:]
    return Play(seconds, json.loads(record.read_text()), output)


def environment(record: Path) -> dict[str, str]:
    here = Path(__file__).parent
    return {
        **os.environ,
        "ANSIBLE_COLLECTIONS_PATH": f"{ROOT / '.build/collections'}:{BENCH / 'collections'}",
        "ANSIBLE_CONFIG": str(ROOT / "tests/ansible.cfg"),
        "ANSIBLE_INVENTORY": f"{ROOT / 'tests/lab/inventory'},{here / 'inventory'}",
        "ANSIBLE_CALLBACK_PLUGINS": str(here / "callback"),
        "ANSIBLE_NOCOLOR": "1",
        "BENCH_RECORD": str(record),
    }


def write_plain_play(role: Play) -> int:
    """Write the same work as plain tasks: ``template`` for each file of a transaction, ``command`` for each check.

    All other tasks stay as they are.

    :returns: the number of tasks.
    """
    PLAIN.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    tasks = [plain for task in role.tasks if not task["action"].endswith(CONTROL) for plain in _plain_tasks(task)]
    play = {"hosts": "{{ mailops_relays }}", "gather_facts": False, "become": True, "tasks": tasks}
    PLAIN.touch(mode=0o600)
    PLAIN.write_text(json.dumps([play], indent=1))
    return len(tasks)


def _plain_tasks(task: dict[str, t.Any]) -> t.Iterator[dict[str, t.Any]]:
    args = task["args"]
    if task["action"] == TRANSACTION:
        for directory in args.get("directories") or []:
            yield {"name": directory["path"], "ansible.builtin.file": {**directory, "state": "directory"}}
        if args.get("state") == "noted":
            return  # a plain play keeps no manifest
        for file in args["files"]:
            yield {"name": file["path"], "ansible.builtin.template": _template(file)}
        for service in filter(lambda one: one.get("unit"), args.get("services") or []):
            unit = {"name": service["unit"], "enabled": True, "state": "started"}
            yield {"name": service["unit"], "ansible.builtin.systemd_service": unit}
        firewall = [
            ["nft", "list", "table", "inet", "relay"] for one in args.get("activate") or [] if "firewall" in one
        ]
        for command in [*firewall, *(args.get("health") or [])]:
            yield {"name": " ".join(command), "ansible.builtin.command": {"argv": command}, "changed_when": False}
        if args.get("proof"):
            message = {name: args["proof"][name] for name in ("from", "to", "subject", "body")}
            send = {"host": "127.0.0.1", "port": 25, "tls": "none", **message}
            yield {"name": "Send", "mailops.smtp.smtp_send": send, "register": "proof"}
            yield {"name": "Follow", "mailops.smtp.postfix_info": {"trace": "{{ proof.queue_id }}"}}
        return
    if task["action"].endswith("relay_host_info"):
        yield {
            "name": "Gather the platform facts",
            "ansible.builtin.setup": {"gather_subset": ["!all", "distribution"]},
        }
        yield {"name": "Gather the packages", "ansible.builtin.package_facts": {}}
        version = {"argv": ["postconf", "-dh", "mail_version"]}
        yield {"name": "Read the version of Postfix", "ansible.builtin.command": version, "changed_when": False}
        return
    plain = {"name": task["name"], task["action"]: args}
    if task["action"].endswith("command"):
        plain["changed_when"] = False
    if task["delegate_to"]:
        plain.update(delegate_to=task["delegate_to"], connection="local", become=False)
    yield plain


def _template(file: dict[str, t.Any]) -> dict[str, t.Any]:
    """Write a template without variables: real templates have some and cost more."""
    source = PLAIN.parent / f"{file['path'].strip('/').replace('/', '-')}.j2"
    source.touch(mode=0o600)
    source.write_text(f"{{% raw %}}{file.get('content') or file.get('secret') or ''}{{% endraw %}}")
    ownership = {
        key: file.get(key, default) for key, default in (("owner", "root"), ("group", "root"), ("mode", "0644"))
    }
    return {"src": str(source), "dest": file["path"], **ownership}

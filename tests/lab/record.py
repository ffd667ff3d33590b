# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""record.py [NAME ...]: record evidence of the lab's hosts as fixtures of the unit tests; run by tests/lab/record.

A document that is not valid, or that holds a secret of the lab, is not saved.
"""

from __future__ import annotations

import json
import sys
import tempfile
import typing as t
from pathlib import Path

import yaml

from ansible_collections.mailops.smtp.plugins.module_utils._evidence.reading import InvalidEvidence, read
from ansible_collections.mailops.smtp.tests.lab.suite.plays import LAB, RELAY, run_play
from ansible_collections.mailops.smtp.tests.unit.support.evidence import FIXTURES, forbidden_in


class Recording(t.NamedTuple):
    """One task, and the file that its evidence becomes."""

    name: str
    host: str
    module: str
    options: dict[str, t.Any]


PREFIX = "{{ hostvars.ns.lab_prefix }}"
DNS = {"nameservers": [f"{PREFIX}.2"], "on_finding": "ignore"}
SENDER = {**DNS, "domain": "sender.test", "hostname": "relay.sender.test", "addresses": [f"{PREFIX}.10"]}
LOGIN = {"username": "relay@provider.test", "password": "{{ lab_passwords['relay@provider.test'] }}"}
SINK = "relaytest@provider.test"
UPSTREAM = {"host": "smtp.provider.test", "port": 587}

RECORDINGS = (
    Recording("host-relay", "relay", "postfix_info", {"gather": ["all"]}),
    Recording("host-upstream", "upstream", "postfix_info", {"gather": ["all"]}),
    Recording("host-mx", "mx", "postfix_info", {"gather": ["all"]}),
    Recording("host-without-postfix", "client", "postfix_info", {"gather": ["all"]}),
    Recording("dns-sender", "localhost", "mail_dns_info", SENDER),
    Recording("dns-dest", "localhost", "mail_dns_info", {**DNS, "domain": "dest.test"}),
    Recording("dns-nowhere", "localhost", "mail_dns_info", {**DNS, "domain": "nowhere.test"}),
    Recording(
        "dns-unreachable", "localhost", "mail_dns_info", {**SENDER, "nameservers": [f"{PREFIX}.66"], "timeout": 1}
    ),
    Recording("smtp-relay-25", "outsider", "smtp_info", {"host": "relay.sender.test", "port": 25}),
    Recording(
        "smtp-relay-25-tests",
        "outsider",
        "smtp_info",
        {"host": "relay.sender.test", "port": 25, "probes": ["banner", "commands", "relay"], "probe_sink": SINK},
    ),
    Recording("smtp-relay-587", "client", "smtp_info", {"host": "relay.sender.test", "port": 587}),
    Recording("smtp-relay-465", "client", "smtp_info", {"host": "relay.sender.test", "port": 465}),
    Recording("smtp-upstream-login", "relay", "smtp_info", {**UPSTREAM, **LOGIN}),
    Recording("smtp-upstream-wrong-login", "relay", "smtp_info", {**UPSTREAM, **LOGIN, "password": "not-this-one"}),
    Recording("smtp-mx", "relay", "smtp_info", {"host": "mx.dest.test", "port": 25}),
    Recording("smtp-refused-port", "client", "smtp_info", {"host": "mx.dest.test", "port": 2525}),
    Recording("smtp-nowhere", "client", "smtp_info", {"host": "mail.nowhere.test", "port": 587}),
)


def play(one: Recording, result: Path) -> dict[str, t.Any]:
    """A play that runs the module and keeps its result, also of a failure: evidence may say why it failed."""
    local = {"ansible_connection": "local", "ansible_python_interpreter": "{{ ansible_playbook_python }}"}
    keep = {"content": "{{ result | to_json }}", "dest": str(result), "mode": "0600"}
    return {
        "hosts": one.host,
        "gather_facts": False,
        "vars": local if one.host == "localhost" else {},
        "tasks": [
            {f"mailops.smtp.{one.module}": one.options, "register": "result", "ignore_errors": True},
            {"ansible.builtin.copy": keep, "delegate_to": "localhost", "vars": local},
        ],
    }


def secrets() -> list[str]:
    """The lab's passwords, and a line of each of its private keys."""
    passwords = yaml.safe_load((LAB / "secrets.yml").read_text(encoding="utf-8"))["lab_passwords"].values()
    return [*passwords, *(key.read_text(encoding="utf-8").splitlines()[1] for key in (LAB / "pki").glob("*.key"))]


def problems(result: t.Any, hidden: t.Iterable[str]) -> list[str]:
    """Why the result of a module does not become a fixture; empty if it does."""
    evidence = result.get("evidence")
    if evidence is None:
        return [f"the module returned no evidence: {result.get('msg', 'it gave no reason')}"]
    try:
        if read(evidence).to_dict() != evidence:
            return ["evidence: a field is not declared by any type"]
    except InvalidEvidence as error:
        return [str(error)]
    return forbidden_in(evidence, hidden)


def main(names: t.Sequence[str]) -> int:
    """Record these, by default all, and return the exit code."""
    unknown = set(names) - {one.name for one in RECORDINGS}
    if unknown:
        print(f"Unknown: {', '.join(sorted(unknown))}. Expected: {', '.join(one.name for one in RECORDINGS)}")
        return 2
    chosen = [one for one in RECORDINGS if one.name in names or not names]
    run_play("record-role", RELAY).succeeded()
    with tempfile.TemporaryDirectory(dir=LAB) as folder:
        results = [(one, Path(folder, f"{one.name}.json")) for one in chosen]
        playbook = Path(folder, "record.yml")
        playbook.write_text(json.dumps([play(one, result) for one, result in results]), encoding="utf-8")
        done = run_play("record", str(playbook))
        hidden, failed = secrets(), 0
        FIXTURES.mkdir(parents=True, exist_ok=True)
        for one, result in results:
            kept = json.loads(result.read_text(encoding="utf-8")) if result.exists() else {"msg": done.tail}
            wrong = problems(kept, hidden)
            if not wrong:
                text = json.dumps(kept["evidence"], indent=2, ensure_ascii=False)
                (FIXTURES / f"{one.name}.json").write_text(f"{text}\n", encoding="utf-8")
            failed += bool(wrong)
            print(f"{one.name}: {'recorded' if not wrong else '; '.join(wrong)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

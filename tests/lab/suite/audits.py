# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ask about a host of the lab as the role compliance does, and judge it, without a play: a tenth of the time.

The plan, what is made of the results, and the judge are those of the role. Only the tasks between them are not: the
modules run on the hosts as ``ask.py`` runs them.
"""

from __future__ import annotations

import dataclasses
import functools
import io
import json
import subprocess
import sys
import tarfile
import time
import typing as t
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import ansible

from ansible_collections.mailops.smtp.plugins.filter.compliance import compliance_collected, compliance_plan
from ansible_collections.mailops.smtp.plugins.module_utils._compliance.collected import read_collected
from ansible_collections.mailops.smtp.plugins.module_utils._compliance.judge import Judgement, judge
from ansible_collections.mailops.smtp.tests.lab.suite.plays import BUILD, LAB, ROOT

Values = dict[str, t.Any]
Task = tuple[str, Values]

ASK = Path(__file__).with_name("ask.py")
CONTROLLER = "localhost"
#: A host that knows the name of the mailbox's server, which the controller does not.
MAILBOX_FROM = "client"
#: Where the packages are on the hosts: not on a disk, so that nothing stays.
FOLDER = "/run/mailops-ask"
MODULES = ("postfix_info", "smtp_info", "smtp_send", "mail_arrival_info")
#: The worst status of a control comes first.
ORDER = ("fail", "error", "pass", "not_checked", "not_applicable")


def packages() -> bytes:
    """The modules and what they import, as a tar file."""
    own, stream = Path(str(ansible.__file__)).parent, io.BytesIO()
    collection = "ansible_collections/mailops/smtp/plugins"
    with tarfile.open(fileobj=stream, mode="w:gz", compresslevel=1) as archive:
        for name in ("release.py", "module_utils"):
            archive.add(own / name, f"ansible/{name}", filter=_source)
        archive.addfile(tarfile.TarInfo("ansible/__init__.py"))  # empty, as where Ansible packs a module
        for name in ("module_utils", *(f"modules/{one}.py" for one in MODULES)):
            archive.add(ROOT / "plugins" / name, f"{collection}/{name}", filter=_source)
    return stream.getvalue()


def _source(one: tarfile.TarInfo) -> tarfile.TarInfo | None:
    return None if "__pycache__" in one.name else one


def install(*names: str) -> None:
    """Put the packages on these hosts."""
    archive = packages()
    for name in names:
        _ssh(name, f"rm -rf {FOLDER} && mkdir -p {FOLDER} && tar -xzf - -C {FOLDER}", archive)
        put(name, f"{FOLDER}/ask.py", ASK.read_bytes())


def put(name: str, path: str, content: bytes) -> None:
    """Write a file on a host."""
    _ssh(name, f"cat >{path}", content)


def _ssh(name: str, command: str, given: bytes = b"") -> bytes:
    config = str(LAB / "ssh_config")
    return _run(["ssh", "-F", config, name, command], given)


def _run(command: list[str], given: bytes) -> bytes:
    done = subprocess.run(command, input=given, capture_output=True, timeout=120, check=False)
    assert done.returncode == 0, f"{command}: {done.stderr.decode()[-3000:]}"
    return done.stdout


def ask(name: str, tasks: t.Sequence[Task]) -> list[Values]:
    """Run modules on a host, side by side, and return their results."""
    given = json.dumps(tasks).encode()
    if name == CONTROLLER:
        return list(json.loads(_run([sys.executable, str(ASK), str(BUILD / "collections")], given)))
    return list(json.loads(_ssh(name, f"python3 {FOLDER}/ask.py {FOLDER}", given)))


@dataclasses.dataclass(frozen=True)
class Asked:
    """What was asked about a host, and what was said: results by their kind and by the label of the question."""

    #: Variables of the roles ``relay`` and ``compliance``, with ``inventory_hostname`` and passwords.
    variables: Values
    #: Of ``host``, ``dns``, ``smtp``, ``sent``, ``traced`` and ``mailbox``.
    results: dict[str, dict[str, Values]]

    @functools.cached_property
    def judged(self) -> Judgement:
        """What the judge says of it."""
        loops = {kind: {"results": list(found.values())} for kind, found in self.results.items()}
        collected = read_collected(compliance_collected(self.variables, loops))
        return judge(collected.evidence, collected.target)

    @functools.cached_property
    def states(self) -> dict[str, str]:
        """The worst status of each control."""
        found: dict[str, str] = {}
        for one in self.judged.findings:
            now = one.status.value
            found[one.control] = min(found.get(one.control, now), now, key=ORDER.index)
        return found


#: Active tests that take a second and more; asked again only if they are named.
SLOW = ("injection", "relay", "early_talk", "smuggling")


def audit(
    variables: Values, kinds: t.Collection[str] = (), before: Asked | None = None, slow: t.Collection[str] = SLOW
) -> Asked:
    """Ask about a host.

    :param kinds: what to ask: ``host``, ``dns``, ``proof``, ``login``, or a port such as ``25``; all by default.
    :param before: what the rest is taken from.
    :param slow: which of the slow tests to run.
    """
    probes = [one for one in variables["compliance_probes"] if one in slow or one not in SLOW]
    variables = {**variables, "compliance_probes": probes}
    results = {kind: dict(found) for kind, found in before.results.items()} if before else {}
    host = str(variables["inventory_hostname"])
    if not kinds or "host" in kinds:
        results["host"] = {host: ask(host, [("postfix_info", {"gather": ["all"]})])[0]}
    plan = compliance_plan(variables, results["host"][host])
    tasks = [one for one in _questions(variables, plan) if not kinds or one.kinds & set(kinds)]
    for one, result in zip(tasks, _ask_all(tasks), strict=True):
        old = results.setdefault(one.group, {}).get(one.label)
        told = {**result, "item": one.item, "_ansible_item_label": one.label}
        results[one.group][one.label] = with_older(told, old) if old and one.group == "smtp" else told
    if not kinds or "proof" in kinds:
        results.update(_prove(variables, plan))
    return Asked(variables, results)


def with_older(result: Values, old: Values) -> Values:
    """The result with the active tests of the older one that were left out now."""
    new, before = (one.get("evidence") for one in (result, old))
    if not new or not before or not before["facts"]["probes"]:
        return result
    left_out = set(old["item"]["probes"]) - set(result["item"]["probes"])
    probes = {name: value for name, value in before["facts"]["probes"].items() if name in left_out}
    gaps = [one for one in before["unknown"] if one["path"].split(".")[:2] in [["probes", name] for name in left_out]]
    facts = {**new["facts"], "probes": {**(new["facts"]["probes"] or {}), **probes}}
    return {**result, "evidence": {**new, "facts": facts, "unknown": [*new["unknown"], *gaps]}}


class Question(t.NamedTuple):
    """One task of the role's loops."""

    group: str
    label: str
    on: str
    task: Task
    item: Values
    kinds: set[str]


def _questions(variables: Values, plan: Values) -> t.Iterator[Question]:
    for item in plan["dns"]:
        options = {name: item[name] for name in ("domain", "hostname", "addresses", "via", "dkim")}
        options |= {**variables.get("compliance_dns", {}), "on_finding": "ignore"}
        yield Question("dns", item["domain"], CONTROLLER, ("mail_dns_info", options), item, {"dns"})
    for item in plan["smtp"]:
        options = {name: item[name] for name in ("port", "tls", "sender", "recipient", "probes") if item[name]}
        options |= {"host": variables["compliance_address"], "connect_timeout": 5, "timeout": 20}
        options |= {"probe_connections": 12, "probe_sink": variables["compliance_recipient"]}
        options |= _login(variables, item)
        kinds = {"login"} if item["proof_only"] else {str(item["port"])}
        yield Question("smtp", item["label"], item["vantage"], ("smtp_info", options), item, kinds)


def _login(variables: Values, item: Values) -> Values:
    if not item["user"]:
        return {}
    return {"username": item["user"], "password": variables["compliance_accounts"][item["account"]]["password"]}


def _ask_all(tasks: t.Sequence[Question]) -> list[Values]:
    """Ask all hosts at once, each all that it has to be asked."""
    hosts = {one.on: [other for other in tasks if other.on == one.on] for one in tasks}
    with ThreadPoolExecutor(max_workers=max(len(hosts), 1)) as pool:
        said = pool.map(lambda host: ask(host, [one.task for one in hosts[host]]), hosts)
    found = {
        id(one): result
        for ones, results in zip(hosts.values(), said, strict=True)
        for one, result in zip(ones, results, strict=True)
    }
    return [found[id(one)] for one in tasks]


def _prove(variables: Values, plan: Values) -> dict[str, dict[str, Values]]:
    """Send a message through each way in, follow it, and look for it in the mailbox."""
    letters, host = plan["letters"], str(variables["inventory_hostname"])
    tasks = []
    for item in letters:
        options = {name: item[name] for name in ("port", "tls")}
        options |= {"host": "127.0.0.1" if item["local"] else variables["compliance_address"]}
        options |= {"from": item["sender"], "to": [item["recipient"]], "subject": f"Compliance test {item['nonce']}"}
        options |= {"message_id": f"<{int(time.time()):x}.{item['nonce']}@sender.test>", "body": "A proof."}
        options |= {"results": "all", "connect_timeout": 5, **_login(variables, item)}
        tasks.append(Question("sent", item["label"], item["vantage"], ("smtp_send", options), item, {"proof"}))
    sent = {one.label: {**result, "item": one.item} for one, result in zip(tasks, _ask_all(tasks), strict=True)}
    queued = {label: one for label, one in sent.items() if one.get("queue_id")}
    traces = ask(host, [("postfix_info", {"trace": one["queue_id"]}) for one in queued.values()]) if queued else []
    traced = {label: {**trace, "item": one["item"]} for (label, one), trace in zip(queued.items(), traces, strict=True)}
    mailbox = variables.get("compliance_mailbox")
    looked = {}
    if mailbox and queued:
        options = {**mailbox, "nonces": [one["item"]["nonce"] for one in queued.values()]}
        looked = {"mailbox": ask(MAILBOX_FROM, [("mail_arrival_info", options)])[0]}
    return {"sent": sent, "traced": traced, "mailbox": looked}

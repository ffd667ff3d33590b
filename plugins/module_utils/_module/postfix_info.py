# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The body of ``postfix_info``: facts about this host and its Postfix, and the trace of one message."""

from __future__ import annotations

import hashlib
import re
import typing as t

from ansible.module_utils.basic import AnsibleModule

from .._postfix.config import split_words
from .._postfix.config_secrets import secrets_in
from .._postfix.log_source import keeps_log
from .commands import Commands
from .environment import settle
from .postfix import way_of, why_no_log
from .postfix_facts import NOT_INSTALLED, look
from .secrets import hide
from .takeover import look as look_for_mail

ALL = "all"
#: The groups of facts, as :data:`.gather.GATHER` has them.
GROUPS = (
    *("config", "listeners", "egress", "files", "managed", "dkim"),
    *("certificates", "aliases", "firewall", "packages", "units", "mail_servers", "queue"),
)
ARGUMENTS: dict[str, t.Any] = {
    "trace": {"type": "str"},
    "timeout": {"type": "float", "default": 60.0},
    "takeover": {"type": "bool", "default": False},
    "gather": {"type": "list", "elements": "str", "default": [], "choices": [ALL, *GROUPS]},
}

#: What ends a program that waits, as dnf does for another one.
_TIMEOUT, _MOST_SECONDS = "timeout", "60"
_QUEUE_ID = re.compile(r"[0-9A-Za-z]{6,}")


def run_info(module: AnsibleModule) -> None:
    """Collect the facts, follow a message if ``trace`` is set, and exit the module."""
    settle()
    commands = Commands(module, ())
    queue_id = module.params["trace"]
    installed = bool(module.get_bin_path("postconf"))
    if queue_id and not installed:
        module.fail_json(msg="trace: Postfix is not installed on this host, so there is no message to follow.")
    if queue_id and not _QUEUE_ID.fullmatch(queue_id):
        module.fail_json(msg=f"trace: {queue_id!r} is not a valid queue ID; expected a value such as 4dDwwB5hD2z4w.")
    facts, asked = look(commands) if installed else (NOT_INSTALLED, {})
    hide(module, secrets_in(facts["parameters"]))
    report = {"changed": False, "installed": installed, **facts, "identity": _identity(facts["parameters"], asked)}
    if module.params["takeover"]:
        report["takeover"] = look_for_mail(commands, installed)
    if module.params["gather"]:
        report["evidence"] = _evidence(commands, module.params["gather"])
    if queue_id:
        if not keeps_log(asked.get("maillog_file", "")):
            module.fail_json(msg=why_no_log(queue_id), hops=[], **report)
        way = way_of(commands, queue_id, module.params["timeout"], asked)
        report["hops"] = way.hops
        if way.problem:
            module.fail_json(msg=way.problem, **report)
        report["msg"] = way.summary
    module.exit_json(**report)


def _identity(parameters: t.Mapping[str, str], asked: t.Mapping[str, str]) -> dict[str, str | None]:
    """The name and the certificate that other hosts see."""
    files = parameters.get("smtpd_tls_chain_files") or parameters.get("smtpd_tls_cert_file") or ""
    return {"hostname": asked.get("myhostname"), "certificate": _digest(next(iter(split_words(files)), ""))}


def _digest(path: str) -> str | None:
    """SHA-256 of the first certificate in a PEM file; None if none can be read."""
    from .._host.host import read_file
    from .._x509.certificate import read_certificates

    try:
        found = read_certificates(read_file(path).decode("ascii", "replace"))
    except (OSError, ValueError):
        return None
    return hashlib.sha256(found[0]).hexdigest() if found else None


def _evidence(commands: Commands, groups: t.Collection[str]) -> dict[str, t.Any]:
    # not at the top: most tasks gather nothing, and the types of all facts take a while to make
    from .._host.gather import collect

    timeout = [_TIMEOUT, _MOST_SECONDS] if commands.missing([_TIMEOUT]) == [] else []
    return collect(lambda argv: commands.run([*timeout, *argv]), GROUPS if ALL in groups else groups).to_dict()

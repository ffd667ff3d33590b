# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The body of ``postfix_info``: what this host's Postfix is, and what became of one message."""

from __future__ import annotations

import time
import typing as t

from ansible.module_utils.basic import AnsibleModule

from .._postfix.log import Trace, trace

ARGUMENTS: dict[str, t.Any] = {
    "trace": {"type": "str"},
    "timeout": {"type": "float", "default": 60.0},
}

_POLL_SECONDS = 0.25


def run_info(module: AnsibleModule) -> None:
    """Collect, and follow a message where asked."""
    report: dict[str, t.Any] = {"changed": False, "version": _postconf(module, "-h", "mail_version").strip()}
    report["parameters"] = dict(line.split(" = ", 1) for line in _postconf(module, "-n").splitlines() if " = " in line)
    queue_id = module.params["trace"]
    if queue_id:
        found = _follow(module, queue_id)
        report["deliveries"] = [delivery.to_dict() for delivery in found.latest.values()]
        if not found.sent:
            module.fail_json(msg=_why_not_sent(queue_id, found, module.params["timeout"]), **report)
    module.exit_json(**report)


def _follow(module: AnsibleModule, queue_id: str) -> Trace:
    """Read the journal until the message left the queue, or the time is over."""
    deadline = time.monotonic() + module.params["timeout"]
    while True:
        lines = _run(
            module,
            ["journalctl", "--no-pager", "--output=cat", "--since=-1d", "--unit=postfix*", f"--grep={queue_id}"],
            (0, 1),
        )
        found = trace(lines.splitlines(), queue_id)
        if found.removed or time.monotonic() > deadline:
            return found
        time.sleep(_POLL_SECONDS)


def _why_not_sent(queue_id: str, found: Trace, timeout: float) -> str:
    if not found.deliveries:
        return (
            f"Message {queue_id} was not tried to deliver within {timeout:g} s; 'postqueue -p' tells what it waits for."
        )
    outcomes = "; ".join(
        f"{delivery.recipient}: {delivery.status} at {delivery.relay}, {delivery.dsn} {delivery.text}"
        for delivery in found.latest.values()
    )
    return f"Message {queue_id} did not arrive at the next server. {outcomes}"


def _postconf(module: AnsibleModule, *arguments: str) -> str:
    return _run(module, ["postconf", *arguments])


def _run(module: AnsibleModule, argv: list[str], good: tuple[int, ...] = (0,)) -> str:
    if not module.get_bin_path(argv[0]):
        module.fail_json(msg=f"{argv[0]} is not installed on this host.")
    code, output, complaints = module.run_command(argv)
    if code not in good:
        module.fail_json(msg=f"{' '.join(argv)!r} failed with exit code {code}: {complaints.strip()}")
    return str(output)

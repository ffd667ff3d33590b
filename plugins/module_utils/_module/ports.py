# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The body of ``mail_port_info``: which ports of a mail host are open to the host that the module runs on."""

from __future__ import annotations

import typing as t

from ansible.module_utils.basic import AnsibleModule

from .._firewall.reach import OPEN, Attempt, judge, try_ports
from .firewall import PORTS, read_ports
from .secrets import warn

ARGUMENTS: dict[str, t.Any] = {
    "host": {"type": "str", "required": True},
    "ports": {"type": "list", "elements": "dict", "required": True, "options": PORTS["options"]},
    "fallback": {"type": "str", "default": ""},
    "seen_as": {"type": "str", "default": ""},
    "timeout": {"type": "float", "default": 3.0},
    "on_closed": {"type": "str", "choices": ["warn", "fail"], "default": "warn"},
    "on_open": {"type": "str", "choices": ["warn", "fail"], "default": "fail"},
}


def run_ports(module: AnsibleModule) -> None:
    """Connect, judge, and change nothing."""
    params = module.params
    ports = read_ports(module, params["ports"])
    result: dict[str, t.Any] = {"changed": False, "passed": False, "ports": []}
    try:
        attempts = _try(params, ports)
    except OSError as error:
        text = f"host: {params['host']} does not resolve here, so no connection was tried: {error.strerror}."
        if params["on_closed"] == "fail":
            module.fail_json(msg=text, **result)
        warn(module, text, "The name of the host does not resolve.")
        module.exit_json(**result)
    judged = [(attempt, judge(attempt, ports[attempt.port], params["seen_as"])) for attempt in attempts]
    wrong = [(attempt, judgement.summary) for attempt, judgement in judged if judgement.passed is False]
    fatal = [text for attempt, text in wrong if params[_option(attempt.state)] == "fail"]
    result["passed"] = not wrong
    result["ports"] = [{**_told(attempt), **judgement._asdict()} for attempt, judgement in judged]
    if fatal:
        module.fail_json(msg="\n".join(text for _attempt, text in wrong), **result)
    for _attempt, text in wrong:
        warn(module, text, "A port is not as declared. no_log hides the details.")
    module.exit_json(**result)


def _try(params: t.Mapping[str, t.Any], ports: t.Collection[int]) -> list[Attempt]:
    """Connect to the host, or if its name does not resolve, to the address in its place."""
    try:
        return try_ports(params["host"], ports, params["timeout"])
    except OSError:
        if not params["fallback"]:
            raise
        return try_ports(params["fallback"], ports, params["timeout"])


def _told(attempt: Attempt) -> dict[str, t.Any]:
    return {name: getattr(attempt, name) for name in ("port", "address", "source", "state", "detail")}


def _option(state: str) -> str:
    """The option that says what a port in this state, which it should not be in, leads to."""
    return "on_open" if state == OPEN else "on_closed"

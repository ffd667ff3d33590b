# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The body of ``smtp_info``: walk through a server step by step, and tell what became of each step."""

from __future__ import annotations

import os
import typing as t

from .._diagnosis.active import with_probes
from .._diagnosis.checklist import checklist
from .._diagnosis.questions import Questions
from .._diagnosis.walk import walk
from .._message.addresses import parse_mailbox
from .._message.compose import compose
from .._message.errors import in_option
from .._message.message import Message
from .._probes.lines import ProbeOptions
from .._probes.probes import PROBES
from .._sasl.oauth import InvalidTokenClient, OAuthError
from .._smtp.delivery import Envelope
from .._smtp.settings import InvalidSettings
from .secrets import warn
from .server import SERVER_ARGUMENTS, SERVER_RULES, TEXT, server_settings

if t.TYPE_CHECKING:
    from ansible.module_utils.basic import AnsibleModule

    from .._smtp.settings import ServerSettings

INFO_SPEC: dict[str, t.Any] = {
    "argument_spec": {
        **SERVER_ARGUMENTS,
        "sender": {"type": TEXT, "aliases": ["from"]},
        "recipient": {"type": TEXT, "aliases": ["to"]},
        "test_message": {"type": "bool", "default": False},
        "wrong_login": {"type": "bool", "default": False},
        "probes": {"type": "list", "elements": "str", "choices": [*PROBES], "default": []},
        "probe_sink": {"type": TEXT, "default": ""},
        "probe_recipient": {"type": TEXT, "default": "postmaster"},
        "probe_messages": {"type": "bool", "default": False},
        "probe_connections": {"type": "int"},
        "on_problem": {"type": "str", "choices": ["report", "warn", "fail"], "default": "report"},
    },
    **SERVER_RULES,
}
_NO_TOKEN = "Check the option oauth: the ID and the secrets of the application, its permissions, and the tenant."


def run_info(module: AnsibleModule) -> None:
    """Walk, and change nothing."""
    options = module.params
    try:
        questions = _questions(module)
        active = _probe_options(module, questions)
    except ValueError as error:
        module.fail_json(msg=f"Nothing was asked: {error}.")
    answers = walk(questions)
    names = [
        name for name in options["probes"] if name == "relay" or not (module.check_mode and PROBES[name].sends_mail)
    ]
    if names:
        answers = with_probes(answers, questions.settings, names, active, options["probe_connections"])
    found = answers.problem
    server = questions.settings.server
    msg = f"{server}: {found.problem} {found.advice}".rstrip() if found else f"{server}: every step passed."
    result: dict[str, t.Any] = {
        "changed": False,
        "passed": not found,
        "stopped_at": found.step.value if found else None,
        "steps": [one.to_dict() for one in answers.results],
        "checklist": checklist(questions, answers),
        "certificate_accepted_by": answers.accepted_by,
        "evidence": answers.evidence.to_dict(),
    }
    if found and options["on_problem"] == "fail":
        module.fail_json(msg=msg, **result)
    if found and options["on_problem"] == "warn":
        warn(module, msg, "A step of smtp_info did not pass; no_log hides which, and why.")
    module.exit_json(msg=msg, **result)


def _questions(module: AnsibleModule) -> Questions:
    """Read the options.

    :raises ValueError: they contradict each other or cannot be used.
    """
    options = module.params
    username = options["username"] or ""
    no_login = None
    try:
        settings, provider = server_settings(module)
    except InvalidTokenClient:
        raise
    except OAuthError as error:  # a step of its own: the rest can be asked
        no_login = (f"No access token: {error}.", _NO_TOKEN)
        options.update(oauth=None, username=None, auth_mechanism=None)
        settings, provider = server_settings(module)
    sender, recipient = _address(options, "sender"), _address(options, "recipient")
    if sender is None and "@" in username:
        sender = _address({"sender": username}, "sender")
    if recipient is not None and sender is None:
        raise InvalidSettings("recipient is set, and sender is not; set sender, which a server asks for first")
    if options["test_message"] and recipient is None:
        raise InvalidSettings(
            "test_message is true, and recipient is not set; set recipient to a mailbox that you can read"
        )
    if options["wrong_login"] and not username:
        raise InvalidSettings("wrong_login is true, and there is no login; set username and password or oauth")
    message = None
    if options["test_message"] and not module.check_mode:
        message = _test_message(sender or "", recipient or "", settings)
    return Questions(
        settings, provider, sender, recipient, message, options["wrong_login"], no_login, os.uname().nodename
    )


def _probe_options(module: AnsibleModule, questions: Questions) -> ProbeOptions:
    """Read the options of active tests.

    :raises ValueError: they contradict each other or cannot be used.
    """
    options = module.params
    if options["probe_messages"] and not options["probe_sink"]:
        raise InvalidSettings("probe_messages is true, and probe_sink is not set; set it to a mailbox elsewhere")
    if "relay" in options["probes"] and not options["probe_sink"]:
        raise InvalidSettings("probes has relay, and probe_sink is not set; set it to a mailbox of yours elsewhere")
    if options["probe_connections"] is not None and options["probe_connections"] < 1:
        raise InvalidSettings(f"probe_connections is {options['probe_connections']}; expected 1 or more")
    login = questions.settings.credentials
    return ProbeOptions(
        sink=options["probe_sink"],
        local_recipient=options["probe_recipient"],
        username=login.username if login else "",
        send_messages=options["probe_messages"] and not module.check_mode,
    )


def _address(options: t.Mapping[str, t.Any], name: str) -> str | None:
    """Return the address in an option; None without it.

    :raises ValueError: it is not one; the text names the option.
    """
    text = options[name]
    if text is None or (name == "sender" and text.strip() in ("", "<>")):
        return None if text is None else ""
    return in_option(name, parse_mailbox, text).address


def _test_message(sender: str, recipient: str, settings: ServerSettings) -> Envelope:
    """Compose the test message.

    :raises ValueError: it cannot be composed.
    """
    author = in_option("sender", parse_mailbox, sender or recipient)
    host = os.uname().nodename
    message = Message(
        sender=author,
        to=(in_option("recipient", parse_mailbox, recipient),),
        subject=f"Test message from {host}",
        body=f"The module mailops.smtp.smtp_info on {host} sent this message through {settings.server} to see whether"
        " mail arrives. Nothing needs to be done.\n",
        envelope_sender=sender,
    )
    return Envelope(*compose(message))

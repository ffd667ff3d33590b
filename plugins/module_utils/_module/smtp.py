# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The body of the modules that open an SMTP session: options in, results or one clear failure out."""

from __future__ import annotations

import typing as t

from ansible.module_utils.basic import AnsibleModule

from .._message.addresses import Mailbox, parse_mailbox, parse_mailboxes
from .._message.attachments import from_content, from_file
from .._message.compose import Message, compose
from .._message.errors import InvalidAddress
from .._message.mime import Attachment
from .._smtp.auth import Credentials
from .._smtp.delivery import DeliveryResult, Envelope, Status
from .._smtp.errors import SmtpError, Stage
from .._smtp.session import SmtpSession
from .._smtp.settings import InvalidSettings, ServerSettings
from .._smtp.tls import TlsMode, TlsPolicy

Options = t.Mapping[str, t.Any]

#: Documented in the doc fragment ``_smtp_server``.
SERVER_ARGUMENTS: dict[str, t.Any] = {
    "host": {"type": "str", "default": "localhost"},
    "port": {"type": "int"},
    "tls": {"type": "str", "choices": [mode.value for mode in TlsMode], "default": TlsMode.STARTTLS.value},
    "username": {"type": "str"},
    "password": {"type": "str", "no_log": True},
    "validate_certs": {"type": "bool", "default": True},
    "ca_file": {"type": "path"},
    "allow_cleartext_login": {"type": "bool", "default": False},
    "ehlo_name": {"type": "str", "default": ""},
    "connect_timeout": {"type": "float", "default": 15.0},
    "timeout": {"type": "float", "default": 60.0},
    "final_timeout": {"type": "float", "default": 600.0},
}
SERVER_REQUIRED_TOGETHER = [("username", "password")]

MESSAGE_ARGUMENTS: dict[str, t.Any] = {
    "from": {"type": "str", "required": True, "aliases": ["sender"]},
    "to": {"type": "raw", "default": [], "aliases": ["recipients"]},
    "cc": {"type": "raw", "default": []},
    "bcc": {"type": "raw", "default": []},
    "reply_to": {"type": "raw", "default": []},
    "envelope_from": {"type": "str"},
    "subject": {"type": "str", "required": True},
    "body": {"type": "str"},
    "html": {"type": "str"},
    "headers": {"type": "dict", "default": {}},
    "attachments": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            "path": {"type": "path"},
            "content": {"type": "str"},
            "name": {"type": "str"},
            "type": {"type": "str"},
        },
        "mutually_exclusive": [("path", "content")],
        "required_one_of": [("path", "content")],
        "required_by": {"content": ["name"]},
    },
}


def run_send(module: AnsibleModule) -> None:
    """Compose, connect, deliver one message, report."""
    try:
        settings = server_settings(module.params)
        envelope = _envelope(module.params)
    except ValueError as error:  # MessageError, InvalidSettings, and an envelope that cannot be
        module.fail_json(msg=f"Nothing was sent: {error}.", stage=Stage.COMPOSE.value)
    if module.check_mode:
        module.exit_json(
            changed=False,
            msg=f"Would send {len(envelope.content)} octets to {', '.join(envelope.recipients)} by {settings.server}.",
            **_unsent(envelope).to_dict(),
        )
    try:
        with SmtpSession(settings) as session:
            result = session.deliver(envelope)
            connection = session.info.to_dict()
    except SmtpError as error:
        module.fail_json(msg=f"Nothing was sent. {error}", **failure(error), **_unsent(envelope).to_dict())
    report = {**result.to_dict(), "connection": connection}
    open_recipients = [recipient for recipient in result.recipients if recipient.status is not Status.SENT]
    if open_recipients:
        module.fail_json(msg=_partial_failure(settings, result), stage=open_recipients[0].stage.value, **report)
    module.exit_json(changed=False, msg=f"Sent to {', '.join(envelope.recipients)} by {settings.server}.", **report)


def server_settings(options: Options) -> ServerSettings:
    """:raises InvalidSettings: options that contradict each other."""
    login = options["username"] is not None
    try:
        tls = TlsPolicy(TlsMode(options["tls"]), options["validate_certs"], options["ca_file"])
        if options["ca_file"]:
            tls.context()
    except OSError as error:
        raise InvalidSettings(
            f"ca_file {options['ca_file']} cannot be used: {error.strerror or error}; expected certificates in PEM"
        ) from error
    return ServerSettings(
        host=options["host"],
        port=options["port"] or 0,
        tls=tls,
        credentials=Credentials(options["username"], options["password"]) if login else None,
        ehlo_name=options["ehlo_name"],
        connect_timeout=options["connect_timeout"],
        timeout=options["timeout"],
        final_timeout=options["final_timeout"],
        allow_cleartext_login=options["allow_cleartext_login"],
    )


def failure(error: SmtpError) -> dict[str, t.Any]:
    """The facts of an error, for a task that looks at them."""
    return {
        "stage": error.stage.value,
        "server": error.server,
        "code": error.reply.code if error.reply else None,
        "enhanced_code": error.reply.enhanced if error.reply else None,
        "text": error.reply.text if error.reply else "",
    }


def _envelope(options: Options) -> Envelope:
    envelope_from = options["envelope_from"]
    message = Message(
        sender=_one_mailbox("from", options["from"]),
        to=_mailboxes("to", options["to"]),
        cc=_mailboxes("cc", options["cc"]),
        bcc=_mailboxes("bcc", options["bcc"]),
        reply_to=_mailboxes("reply_to", options["reply_to"]),
        envelope_sender=None if envelope_from is None else _reverse_path(envelope_from),
        subject=options["subject"],
        body=options["body"],
        html=options["html"],
        headers={name: str(value) for name, value in options["headers"].items()},
        attachments=[_attachment(attachment) for attachment in options["attachments"]],
    )
    return Envelope(*compose(message))


def _one_mailbox(option: str, text: str) -> Mailbox:
    try:
        return parse_mailbox(text)
    except InvalidAddress as error:
        raise InvalidAddress(f"{option}: {error}") from error


def _mailboxes(option: str, value: t.Any) -> list[Mailbox]:
    if isinstance(value, str):
        try:
            return parse_mailboxes(value)
        except InvalidAddress as error:
            raise InvalidAddress(f"{option}: {error}") from error
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise InvalidAddress(f"{option}: expected an address or a list of addresses, got {value!r}")
    return [_one_mailbox(option, item) for item in value]


def _reverse_path(text: str) -> str:
    """:returns: an address, or nothing for the null sender ``<>``."""
    return "" if text.strip() in ("", "<>") else _one_mailbox("envelope_from", text).address


def _attachment(options: Options) -> Attachment:
    if options["path"] is not None:
        return from_file(options["path"], options["name"], options["type"])
    return from_content(options["content"].encode("utf-8"), options["name"], options["type"])


def _unsent(envelope: Envelope) -> DeliveryResult:
    return DeliveryResult(envelope.message_id, len(envelope.content), ())


#: What to do about a recipient who did not get the message.
_ADVICE: t.Mapping[Status, str] = {
    Status.REFUSED: "It will be refused each time: change the address, the sender or the message.",
    Status.DEFERRED: "Nothing was accepted: send it again later.",
    Status.UNKNOWN: "The server may have taken it or not: sending it again may deliver it twice.",
}


def _partial_failure(settings: ServerSettings, result: DeliveryResult) -> str:
    """Who did not get the message, why, and what to do, as sentences."""
    sent = len(result.having(Status.SENT))
    problems = [
        f"{recipient.address}: {recipient.status.value} at stage {recipient.stage.value}: {recipient.problem}. "
        f"{_ADVICE[recipient.status]}"
        for recipient in result.recipients
        if recipient.status is not Status.SENT
    ]
    known = f"{settings.server} took the message for {sent} of {len(result.recipients)} recipients."
    return " ".join([known, *problems])

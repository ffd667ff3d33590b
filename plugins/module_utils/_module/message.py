# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options that say what to send to whom, and the envelopes they make; documented in ``smtp_send``."""

from __future__ import annotations

import typing as t

from .._message.addresses import Mailbox, parse_mailbox, parse_mailboxes
from .._message.attachments import from_file, from_text
from .._message.compose import Message, compose
from .._message.errors import InvalidAddress, InvalidMessage
from .._message.identity import parse_date
from .._message.invitation import Invitation
from .._message.legacy import parse_attach, parse_header_strings, texts
from .._message.message import Priority
from .._smtp.delivery import DsnRequest, Envelope

if t.TYPE_CHECKING:
    from .._message.mime import Attachment

Options = t.Mapping[str, t.Any]

MESSAGE_ARGUMENTS: dict[str, t.Any] = {
    "from": {"type": "str", "aliases": ["sender"]},
    "to": {"type": "raw", "aliases": ["recipients"]},
    "cc": {"type": "raw"},
    "bcc": {"type": "raw"},
    "reply_to": {"type": "raw"},
    "envelope_from": {"type": "str"},
    "subject": {"type": "str", "aliases": ["msg"]},
    "body": {"type": "str"},
    "html": {"type": "str"},
    "subtype": {"type": "str", "choices": ["plain", "html"]},
    "charset": {"type": "str"},
    "headers": {"type": "raw"},
    "attachments": {
        "type": "list",
        "elements": "dict",
        "options": {
            "path": {"type": "path"},
            "content": {"type": "str"},
            "name": {"type": "str"},
            "type": {"type": "str"},
            "cid": {"type": "str"},
        },
        "mutually_exclusive": [("path", "content")],
        "required_one_of": [("path", "content")],
        "required_by": {"content": ["name"]},
    },
    "attach": {"type": "raw"},
    "inline": {
        "type": "list",
        "elements": "dict",
        "options": {
            "path": {"type": "path", "required": True},
            "cid": {"type": "str", "required": True},
            "mime_type": {"type": "str"},
        },
    },
    "invitation": {"type": "str"},
    "in_reply_to": {"type": "raw"},
    "references": {"type": "raw"},
    "list_unsubscribe": {"type": "list", "elements": "str"},
    "one_click_unsubscribe": {"type": "bool"},
    "priority": {"type": "str", "choices": [priority.value for priority in Priority]},
    "auto_submitted": {"type": "str", "choices": ["auto-generated", "auto-replied", "no"]},
    "date": {"type": "str"},
    "message_id": {"type": "str"},
    "message_id_domain": {"type": "str"},
    "idempotency_key": {"type": "str", "no_log": False},
    "dsn": {
        "type": "dict",
        "options": {
            "notify": {"type": "list", "elements": "str", "choices": ["success", "failure", "delay", "never"]},
            "full": {"type": "bool", "default": False},
            "envelope_id": {"type": "str", "default": ""},
        },
    },
    "require_tls": {"type": "bool"},
}
#: What a message is without a word about it, as community.general.mail has it.
_DEFAULTS: Options = {"from": "root", "to": "root"}


class Composer:
    """Makes envelopes of options, each file read and encoded once however many messages carry it."""

    def __init__(self, common: Options) -> None:
        self._common = {name: common[name] for name in MESSAGE_ARGUMENTS if common.get(name) is not None}
        self._files: dict[tuple[str, ...], Attachment] = {}

    def envelope(self, own: Options | None = None) -> Envelope:
        """One message: its own options over the common ones.

        :raises ValueError: it cannot be written (MessageError), or sent by SMTP.
        """
        given = {name: value for name, value in (own or {}).items() if value is not None}
        options = {**dict.fromkeys(MESSAGE_ARGUMENTS), **_DEFAULTS, **self._common, **given}
        if options["subject"] is None:
            raise InvalidMessage("the message has no subject; expected one")
        composed = compose(self._message(options))
        return Envelope(
            *composed,
            dsn=_dsn(options["dsn"]),
            require_tls=bool(options["require_tls"]),
            utf8_header=composed.needs_smtputf8,
        )

    def _message(self, options: Options) -> Message:
        body, html = _texts(options)
        more = {
            "charset": options["charset"],
            "auto_submitted": options["auto_submitted"],
            "in_reply_to": options["in_reply_to"],
            "references": options["references"],
            "list_unsubscribe": options["list_unsubscribe"],
            "one_click": options["one_click_unsubscribe"],
            "message_id_domain": options["message_id_domain"],
        }
        return Message(
            sender=_in_option("from", parse_mailbox, options["from"]),
            to=_mailboxes("to", options["to"]),
            cc=_mailboxes("cc", options["cc"]),
            bcc=_mailboxes("bcc", options["bcc"]),
            reply_to=_mailboxes("reply_to", options["reply_to"]),
            envelope_sender=options["envelope_from"],
            subject=options["subject"],
            body=body,
            html=html,
            headers=_headers(options["headers"]),
            attachments=self._attachments(options),
            invitation=Invitation(options["invitation"]) if options["invitation"] else None,
            priority=Priority(options["priority"]) if options["priority"] else None,
            date=parse_date(options["date"]) if options["date"] else None,
            message_id=options["message_id"],
            idempotency_key=options["idempotency_key"],
            **{name: value for name, value in more.items() if value is not None},
        )

    def _attachments(self, options: Options) -> list[Attachment]:
        found = [self._attachment(item) for item in options["attachments"] or ()]
        found += [self._file(path) for path in parse_attach(options["attach"] or ())]
        found += [self._file(item["path"], "", item["mime_type"], item["cid"]) for item in options["inline"] or ()]
        return found

    def _attachment(self, item: Options) -> Attachment:
        if item["path"] is not None:
            return self._file(item["path"], item["name"] or "", item["type"], item["cid"] or "")
        key = ("content", item["name"], item["type"] or "", item["content"])
        if key not in self._files:
            self._files[key] = from_text(item["content"], item["name"], item["type"])
        return self._files[key]

    def _file(self, path: str, name: str = "", media_type: str | None = None, cid: str = "") -> Attachment:
        key = ("path", path, name, media_type or "", cid)
        if key not in self._files:
            self._files[key] = from_file(path, name or None, media_type, cid)
        return self._files[key]


def _texts(options: Options) -> tuple[str | None, str | None]:
    """Text and HTML: the two options of this module, or body and subtype of community.general.mail."""
    if options["html"] is not None:
        return options["body"], options["html"]
    return texts(options["subject"], options["body"], options["subtype"] or "plain")


_T = t.TypeVar("_T")


def _in_option(option: str, parse: t.Callable[[str], _T], value: t.Any) -> _T:
    try:
        return parse(value)
    except InvalidAddress as error:
        raise InvalidAddress(f"{option}: {error}") from error


def _mailboxes(option: str, value: t.Any) -> list[Mailbox]:
    if value is None:
        return []
    if not isinstance(value, (str, list)) or (
        isinstance(value, list) and not all(isinstance(one, str) for one in value)
    ):
        raise InvalidAddress(f"{option}: expected an address or a list of addresses, got {value!r}")
    return _in_option(option, parse_mailboxes, value)


def _headers(value: t.Any) -> dict[str, str | list[str]]:
    """A mapping, or the ``Name=value`` strings of community.general.mail."""
    if isinstance(value, dict):
        return {
            str(name): [str(one) for one in text] if isinstance(text, list) else str(text)
            for name, text in value.items()
        }
    return parse_header_strings(value or ())


def _dsn(options: Options | None) -> DsnRequest | None:
    if options is None:
        return None
    return DsnRequest(tuple(options["notify"] or ()), options["full"], options["envelope_id"])

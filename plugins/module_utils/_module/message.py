# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options that describe a message, and the envelopes made from them. Documented in ``_smtp_message``."""

from __future__ import annotations

import functools
import typing as t
from dataclasses import replace

from .._message.addresses import Mailbox, parse_mailbox, parse_mailboxes
from .._message.attachments import Attachment, Invitation, from_file, from_text
from .._message.compose import compose
from .._message.errors import InvalidAddress, InvalidMessage
from .._message.files import read_text
from .._message.identity import fingerprint, parse_date
from .._message.message import Message, Priority
from .._message.options import TEXTS, overlay, parse_attach, parse_header_strings, texts
from .._smtp.delivery import DsnRequest, Envelope

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
    "body_file": {"type": "path"},
    "body_template": {"type": "path"},
    "html": {"type": "str"},
    "html_file": {"type": "path"},
    "html_template": {"type": "path"},
    "vars": {"type": "dict"},
    "subtype": {"type": "str", "choices": ["plain", "html"]},
    "charset": {"type": "str"},
    "headers": {"type": "raw"},
    "attachments": {
        "type": "list",
        "elements": "dict",
        "options": {
            "path": {"type": "path"},
            "remote_src": {"type": "bool"},
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
#: Rules that apply to the options of the task and to those of each message.
MESSAGE_RULES: dict[str, t.Any] = {"mutually_exclusive": list(TEXTS.values())}
#: Values of options that are not set; From and To are root, as in community.general.mail.
_NOTHING: Options = {**dict.fromkeys(MESSAGE_ARGUMENTS), "from": "root", "to": "root"}
#: The same for one of several messages: an empty cell or a misnamed column must not send mail to root.
_NOTHING_OF_MANY: Options = {**_NOTHING, "to": None}

#: Number of files of single messages that are cached, as the next message may name the same ones.
_RECENT = 8


class _Files:
    """Cache of files that are read and encoded.

    :param remembered: number of files of each kind; None for no limit.
    """

    def __init__(self, remembered: int | None) -> None:
        remember = functools.lru_cache(remembered)
        self.attachment = remember(from_file)
        self.content = remember(from_text)
        self.text = remember(read_text)


class Composer:
    """Maker of envelopes from options. A file that the task names for all messages is read and encoded once.

    :param many: whether there may be several messages; then each must have a recipient, without a default.
    """

    def __init__(self, common: Options, many: bool = False) -> None:
        self._nothing = _NOTHING_OF_MANY if many else _NOTHING
        self._common = {name: common[name] for name in MESSAGE_ARGUMENTS if common.get(name) is not None}
        self._kept, self._recent = _Files(None), _Files(_RECENT)

    def envelope(self, own: Options, key: str | None = None) -> Envelope:
        """Compose one message from its own options over the common ones.

        :param key: text from which the Message-ID is derived if no option sets one; None for the whole message.
        :raises ValueError: the message cannot be composed (MessageError), or cannot be sent by SMTP.
        """
        options = {**self._nothing, **overlay(self._common, own)}
        if options["subject"] is None:
            raise InvalidMessage("the message has no subject; set subject")
        if options["idempotency_key"] and own and not own.get("idempotency_key"):
            options["idempotency_key"] = repr([options[name] for name in ("idempotency_key", "to", "cc", "bcc")])
        message = self._message(options)
        if not (message.message_id or message.idempotency_key):
            message = replace(message, idempotency_key=fingerprint(message) if key is None else key)
        composed = compose(message)
        return Envelope(
            *composed,
            dsn=_dsn(options["dsn"]),
            require_tls=bool(options["require_tls"]),
            utf8_header=composed.needs_smtputf8,
        )

    def _message(self, options: Options) -> Message:
        body, html = self._texts(options)
        headers = _headers(options["headers"])
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
            sent_by=_take_sender(headers),
            headers=headers,
            attachments=self._attachments(options),
            invitation=Invitation(options["invitation"]) if options["invitation"] else None,
            priority=Priority(options["priority"]) if options["priority"] else None,
            date=parse_date(options["date"]) if options["date"] else None,
            message_id=options["message_id"],
            idempotency_key=options["idempotency_key"],
            **{name: value for name, value in more.items() if value is not None},
        )

    def _texts(self, options: Options) -> tuple[str | None, str | None]:
        """Return text and HTML: from body and html, or from body and subtype as in community.general.mail."""
        body, html = (self._text(options, *names) for names in TEXTS.values())
        if html is not None:
            return body, html
        return texts(options["subject"], body, options["subtype"] or "plain")

    def _text(self, options: Options, text: str, file: str, template: str) -> str | None:
        if options[template] is not None:
            raise InvalidMessage(
                f"{template} {options[template]} is for the controller, but this message was read on the host; set "
                f"{template} for the task, or read the messages on the controller"
            )
        if options[file] is None:
            return t.cast("str | None", options[text])
        return self._files(options, file).text(options[file], file)

    def _files(self, options: Options, name: str) -> _Files:
        return self._kept if options[name] is self._common.get(name) else self._recent

    def _attachments(self, options: Options) -> list[Attachment]:
        files = self._files(options, "attachments")
        found = [_attachment(item, files) for item in options["attachments"] or ()]
        read = self._files(options, "attach").attachment
        found += [read(path) for path in parse_attach(options["attach"] or ())]
        read = self._files(options, "inline").attachment
        found += [read(item["path"], None, item["mime_type"], item["cid"]) for item in options["inline"] or ()]
        return found


def _attachment(item: Options, files: _Files) -> Attachment:
    if item["path"] is None:
        return files.content(item["content"], item["name"], item["type"], item["cid"] or "")
    if item["remote_src"] is False:
        raise InvalidMessage(
            f"the attachment {item['path']} is on the controller, but this message was read on the host; read the "
            "messages on the controller too"
        )
    return files.attachment(item["path"], item["name"], item["type"], item["cid"] or "")


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
    """Return headers from a mapping, or from the ``Name=value`` strings of community.general.mail."""
    if isinstance(value, dict):
        return {
            str(name): [str(one) for one in text] if isinstance(text, list) else str(text)
            for name, text in value.items()
        }
    return parse_header_strings(value or ())


def _take_sender(headers: dict[str, str | list[str]]) -> Mailbox | None:
    """Remove Sender from the headers and return its only address (RFC 5322 section 3.6.2).

    :raises InvalidAddress: Sender is not exactly one address.
    """
    name = next((name for name in headers if name.lower() == "sender"), None)
    if name is None:
        return None
    value = headers.pop(name)
    return _in_option("headers, Sender", parse_mailbox, value if isinstance(value, str) else ", ".join(value))


def _dsn(options: Options | None) -> DsnRequest | None:
    if options is None:
        return None
    return DsnRequest(tuple(options["notify"] or ()), options["full"], options["envelope_id"])

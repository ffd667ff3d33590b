# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options that describe a message, and the envelopes made from them. Documented in ``_smtp_message``."""

from __future__ import annotations

import functools
import os
import typing as t
from dataclasses import replace

from .._message import options as shapes
from .._message.addresses import Mailbox, parse_mailbox, parse_mailboxes
from .._message.attachments import Attachment, Invitation, from_file, from_text
from .._message.compose import compose
from .._message.errors import InvalidAddress, InvalidMessage, in_option
from .._message.files import read_text
from .._message.identity import fingerprint, parse_date, parse_message_ids
from .._message.message import Message, Priority
from .._message.options import TEXTS, message_form, overlay, texts
from .._smtp.delivery import DsnRequest, Envelope

Options = t.Mapping[str, t.Any]

_ATTACHMENT: dict[str, t.Any] = {
    "path": {"type": shapes.PATH},
    "remote_src": {"type": shapes.BOOLEAN},
    "content": {"type": shapes.TEXT},
    "name": {"type": shapes.WORD},
    "type": {"type": shapes.WORD},
    "cid": {"type": shapes.WORD},
}
_INLINE: dict[str, t.Any] = {
    "path": {"type": shapes.PATH, "required": True},
    "cid": {"type": shapes.WORD, "required": True},
    "mime_type": {"type": shapes.WORD},
}
_DSN: dict[str, t.Any] = {
    "notify": {"type": shapes.several("success", "failure", "delay", "never")},
    "full": {"type": shapes.BOOLEAN, "default": False},
    "envelope_id": {"type": shapes.WORD, "default": ""},
}
#: Ansible checks only the names. Its own checks would refuse null where there are choices, and convert a list to text.
MESSAGE_ARGUMENTS: dict[str, t.Any] = {
    "from": {"type": shapes.ADDRESS, "aliases": ["sender"]},
    "to": {"type": shapes.ADDRESSES, "aliases": ["recipients"]},
    "cc": {"type": shapes.ADDRESSES},
    "bcc": {"type": shapes.ADDRESSES},
    "reply_to": {"type": shapes.ADDRESSES},
    "envelope_from": {"type": shapes.RETURN_ADDRESS},
    "subject": {"type": shapes.LINE, "aliases": ["msg"]},
    "body": {"type": shapes.TEXT},
    "body_file": {"type": shapes.PATH},
    "body_template": {"type": shapes.PATH},
    "html": {"type": shapes.TEXT},
    "html_file": {"type": shapes.PATH},
    "html_template": {"type": shapes.PATH},
    "vars": {"type": shapes.VARIABLES},
    "subtype": {"type": shapes.choice("plain", "html")},
    "charset": {"type": shapes.WORD},
    "headers": {"type": shapes.HEADERS},
    "attachments": {"type": shapes.files(_ATTACHMENT, ("path",), ("content", "name")), "options": _ATTACHMENT},
    "attach": {"type": shapes.PATHS},
    "inline": {"type": shapes.files(_INLINE, ("path", "cid")), "options": _INLINE},
    "invitation": {"type": shapes.TEXT},
    "in_reply_to": {"type": shapes.MESSAGE_IDS},
    "references": {"type": shapes.MESSAGE_IDS},
    "list_unsubscribe": {"type": shapes.URIS},
    "one_click_unsubscribe": {"type": shapes.BOOLEAN},
    "priority": {"type": shapes.choice(*(priority.value for priority in Priority))},
    "auto_submitted": {"type": shapes.choice("auto-generated", "auto-replied", "no")},
    "date": {"type": shapes.WORD},
    "message_id": {"type": shapes.MESSAGE_ID},
    "message_id_domain": {"type": shapes.WORD},
    "idempotency_key": {"type": shapes.WORD, "no_log": False},
    "dsn": {"type": shapes.mapping(_DSN), "options": _DSN},
    "require_tls": {"type": shapes.BOOLEAN},
}
_FORM = message_form(MESSAGE_ARGUMENTS)
#: Values of options that are not set.
_NOTHING: Options = dict.fromkeys(MESSAGE_ARGUMENTS)
#: From, and To of a message without any recipient, as in community.general.mail.
_DEFAULT = "root"

#: RFC 3461 section 4.4.
_LONGEST_ENVELOPE_ID = 100
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

    :param common: the options of the task, of which those of a message are used.
    :param many: whether there may be several messages; then each must have a recipient, without a default: an empty
        cell or a misnamed column must not send mail to root.
    :raises MessageError: an option of the task has a value that it cannot have.
    """

    def __init__(self, common: Options, many: bool = False) -> None:
        self._many = many
        self._common = _FORM.read({name: common[name] for name in MESSAGE_ARGUMENTS if name in common})
        self._kept, self._recent = _Files(None), _Files(_RECENT)

    def envelope(self, own: Options, key: str | None = None) -> Envelope:
        """Compose one message from its own options over the common ones.

        :param key: text from which the Message-ID is derived if no option sets one; None for the whole message.
        :raises ValueError: the message cannot be composed (MessageError), or cannot be sent by SMTP.
        """
        own = _FORM.read(own)
        options = {**_NOTHING, **overlay(self._common, own)}
        if options["subject"] is None:
            raise InvalidMessage("the message has no subject; set subject")
        if options["to"] is None and not (self._many or options["cc"] or options["bcc"]):
            options["to"] = _DEFAULT
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
        headers = dict(options["headers"] or {})
        invitation = options["invitation"] or ""
        more = {
            "charset": options["charset"],
            "auto_submitted": options["auto_submitted"],
            "list_unsubscribe": options["list_unsubscribe"],
            "one_click": options["one_click_unsubscribe"],
            "message_id_domain": options["message_id_domain"],
        }
        return Message(
            sender=in_option("from", parse_mailbox, options["from"] or _DEFAULT),
            to=_mailboxes("to", options),
            cc=_mailboxes("cc", options),
            bcc=_mailboxes("bcc", options),
            reply_to=_mailboxes("reply_to", options),
            envelope_sender=options["envelope_from"],
            subject=options["subject"],
            body=body,
            html=html,
            sent_by=_take_sender(headers),
            headers=headers,
            attachments=self._attachments(options),
            invitation=Invitation(invitation) if invitation.strip() else None,
            in_reply_to=in_option("in_reply_to", parse_message_ids, options["in_reply_to"] or ()),
            references=in_option("references", parse_message_ids, options["references"] or ()),
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
        return self._files(options, file).text(_path(options[file]), file)

    def _files(self, options: Options, name: str) -> _Files:
        return self._kept if options[name] is self._common.get(name) else self._recent

    def _attachments(self, options: Options) -> list[Attachment]:
        files = self._files(options, "attachments")
        found = [
            in_option(f"attachments[{number}]", _attachment, item, files)
            for number, item in enumerate(options["attachments"] or ())
        ]
        read = self._files(options, "attach").attachment
        found += [in_option("attach", read, _path(path)) for path in options["attach"] or ()]
        read = self._files(options, "inline").attachment
        found += [
            in_option(f"inline[{number}]", read, _path(item["path"]), None, item.get("mime_type"), item["cid"])
            for number, item in enumerate(options["inline"] or ())
        ]
        return found


def _attachment(item: Options, files: _Files) -> Attachment:
    name, media_type, cid = (item.get(option) for option in ("name", "type", "cid"))
    if "content" in item:
        return files.content(item["content"], name, media_type, cid or "")
    if item.get("remote_src") is False:
        raise InvalidMessage(
            f"the attachment {item['path']} is on the controller, but this message was read on the host; read the "
            "messages on the controller too"
        )
    return files.attachment(_path(item["path"]), name, media_type, cid or "")


def _path(text: str) -> str:
    """Return a path of this host, as Ansible's type ``path`` does."""
    return os.path.expanduser(os.path.expandvars(text))


def _mailboxes(option: str, options: Options) -> list[Mailbox]:
    value = options[option]
    return in_option(option, parse_mailboxes, value) if value else []


def _take_sender(headers: dict[str, str | list[str]]) -> Mailbox | None:
    """Remove Sender from the headers and return its only address (RFC 5322 section 3.6.2).

    :raises InvalidAddress: Sender is not exactly one address with a domain.
    """
    name = next((name for name in headers if name.lower() == "sender"), None)
    if name is None:
        return None
    value = headers.pop(name)
    sender = in_option("headers, Sender", parse_mailbox, value if isinstance(value, str) else ", ".join(value))
    if not sender.domain:
        raise InvalidAddress(f"headers, Sender: {sender.address!r} has no domain; expected one such as jo@example.com")
    return sender


def _dsn(options: Options | None) -> DsnRequest | None:
    if options is None:
        return None
    notify, envelope_id = options.get("notify", ()), options.get("envelope_id", "")
    if "never" in notify and set(notify) != {"never"}:
        raise InvalidMessage("dsn.notify: never excludes other events (RFC 3461 section 4.1); expected never alone")
    if len(envelope_id) > _LONGEST_ENVELOPE_ID:
        raise InvalidMessage(
            f"dsn.envelope_id: has {len(envelope_id)} characters; expected at most {_LONGEST_ENVELOPE_ID} "
            "(RFC 3461 section 4.4)"
        )
    return DsnRequest(tuple(dict.fromkeys(notify)), options.get("full", False), envelope_id)

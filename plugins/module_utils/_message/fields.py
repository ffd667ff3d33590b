# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The header of a message: which fields, in which order, with which values (RFC 5322 section 3.6)."""

from __future__ import annotations

import re
import typing as t

from .addresses import header_list, parse_mailboxes
from .charsets import Charset
from .errors import InvalidHeader, InvalidMessage
from .headers import encode_text, header_field
from .identity import date_text, parse_message_ids
from .message import Message, Priority

Field = tuple[str, str]

#: Fields that headers may never hold: written from options, or by others on the way (RFC 5321 section 4.4).
_RESERVED = frozenset(
    {
        "bcc",
        "cc",
        "content-disposition",
        "content-id",
        "content-transfer-encoding",
        "content-type",
        "date",
        "from",
        "message-id",
        "mime-version",
        "return-path",
        "sender",
        "subject",
        "to",
    }
)
#: Fields whose value is a list of addresses, names in it encoded one by one.
_ADDRESS_FIELDS = frozenset(
    {
        "disposition-notification-to",
        "errors-to",
        "mail-followup-to",
        "mail-reply-to",
        "reply-to",
        "resent-cc",
        "resent-from",
        "resent-sender",
        "resent-to",
        "return-receipt-to",
    }
)
#: What readers look at: X-Priority by usage, Importance and Priority by RFC 2156 section 5.3.
_PRIORITY_FIELDS: t.Mapping[Priority, t.Sequence[Field]] = {
    Priority.HIGH: (("X-Priority", "1"), ("Importance", "high"), ("Priority", "urgent")),
    Priority.NORMAL: (("X-Priority", "3"), ("Importance", "normal"), ("Priority", "normal")),
    Priority.LOW: (("X-Priority", "5"), ("Importance", "low"), ("Priority", "non-urgent")),
}
_AUTO_SUBMITTED = re.compile(r"(?:no|auto-[a-z]+)\Z")
_URI = re.compile(r"(?:mailto|https):[!-;=?-~]+\Z", re.IGNORECASE)


def header_fields(message: Message, charset: Charset | None, message_id: str, second: int) -> list[bytes]:
    """The fields, each with its line end.

    :param charset: of encoded words; None writes UTF-8 (RFC 6532).
    :param second: the Date, since the epoch.
    :raises MessageError: a value that cannot be written, or a field given twice.
    """
    fields = [("Date", date_text(second)), *_address_fields(message, charset)]
    fields += [("Subject", _subject(message, charset)), ("Message-ID", message_id)]
    fields += [*_thread_fields(message), *_priority_fields(message), *_list_fields(message)]
    if message.headers:
        fields = _with_custom(fields, message, charset)
    else:
        fields += _auto_submitted(message)
    return [header_field(name, value) for name, value in fields]


def _subject(message: Message, charset: Charset | None) -> str:
    try:
        return encode_text(message.subject, charset)
    except InvalidHeader as error:
        raise InvalidHeader(f"the subject {error}") from None


def _address_fields(message: Message, charset: Charset | None) -> t.Iterator[Field]:
    yield "From", header_list((message.sender, *message.co_authors), charset)
    actual = message.sent_by or message.sender
    if message.co_authors or actual.address != message.sender.address:
        yield "Sender", actual.header(charset)
    for name, mailboxes in (("To", message.to), ("Cc", message.cc), ("Reply-To", message.reply_to)):
        if mailboxes:
            yield name, header_list(tuple(mailboxes), charset)


def _thread_fields(message: Message) -> t.Iterator[Field]:
    """RFC 5322 section 3.6.4: the references of the answered message, and that message last."""
    if message.in_reply_to or message.references:
        parents = parse_message_ids(message.in_reply_to)
        if parents:
            yield "In-Reply-To", " ".join(parents)
        references = parse_message_ids(message.references)
        yield "References", " ".join([*references, *(parent for parent in parents if parent not in references)])


def _priority_fields(message: Message) -> t.Sequence[Field]:
    return _PRIORITY_FIELDS[message.priority] if message.priority else ()


def _list_fields(message: Message) -> t.Iterator[Field]:
    uris = [uri.strip().lstrip("<").rstrip(">") for uri in message.list_unsubscribe]
    for uri in uris:
        if not _URI.match(uri):
            raise InvalidMessage(
                f"{uri!r} is no way to unsubscribe; expected mailto: or https:, with other characters percent-encoded"
            )
    if uris:
        yield "List-Unsubscribe", ", ".join(f"<{uri}>" for uri in uris)
    if message.one_click:
        if not any(uri.lower().startswith("https:") for uri in uris):
            raise InvalidMessage("one-click needs an https: address in list_unsubscribe to post to (RFC 8058)")
        yield "List-Unsubscribe-Post", "List-Unsubscribe=One-Click"


def _auto_submitted(message: Message) -> t.Sequence[Field]:
    """RFC 3834 section 5: no vacation notes in return. Without the field, it is ``no``."""
    value = message.auto_submitted.lower()
    if not _AUTO_SUBMITTED.match(value):
        raise InvalidMessage(f"auto_submitted is {value!r}; expected no, or one such as auto-generated or auto-replied")
    return () if value == "no" else (("Auto-Submitted", value),)


def _with_custom(fields: list[Field], message: Message, charset: Charset | None) -> list[Field]:
    """A field that has an option may stand in headers as long as the option is not used: never both."""
    custom_names = {name.lower() for name in message.headers}
    if len(custom_names) < len(message.headers):
        raise InvalidMessage("headers name one header twice, in different letters; give its values as a list")
    if "auto-submitted" not in custom_names:
        fields = [*fields, *_auto_submitted(message)]
    taken = _RESERVED | {name.lower() for name, dummy in fields}
    for name, values in message.headers.items():
        if name.lower() in taken:
            raise InvalidMessage(f"the header {name} is written by this module; use its option in place of headers")
        for value in [values] if isinstance(values, str) else values:
            fields.append((name, _custom_value(name, value, charset)))
    return fields


def _custom_value(name: str, value: str, charset: Charset | None) -> str:
    if name.lower() in _ADDRESS_FIELDS:
        return header_list(tuple(parse_mailboxes(value)), charset)
    try:
        return encode_text(value, charset)
    except InvalidHeader as error:
        raise InvalidHeader(f"the header {name}: {error}") from None

# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The header of a message: its fields, their order and their values (RFC 5322 section 3.6)."""

from __future__ import annotations

import re
import typing as t

from .addresses import header_list, parse_mailboxes
from .charsets import Charset
from .errors import InvalidHeader, InvalidMessage, in_option
from .headers import check_text, encode_text, header_field
from .identity import date_text, parse_message_ids
from .message import Message, Priority

Field = tuple[str, str]

#: Fields that the option headers may never set, with the option that does; none where the message's parts decide.
_RESERVED: t.Mapping[str, str] = {
    **{name: name for name in ("bcc", "cc", "date", "from", "subject", "to")},
    **dict.fromkeys(("content-disposition", "content-id", "content-transfer-encoding", "content-type"), ""),
    "message-id": "message_id",
    "mime-version": "",
    "return-path": "envelope_from",  # the last server writes it from there (RFC 5321 section 4.4)
    "sender": "from",
}
#: Fields that the option headers may set unless their own option does.
_OPTIONAL: t.Mapping[str, str] = {
    **dict.fromkeys(("importance", "priority", "x-priority"), "priority"),
    "auto-submitted": "auto_submitted",
    "in-reply-to": "in_reply_to",
    "list-unsubscribe": "list_unsubscribe",
    "list-unsubscribe-post": "one_click_unsubscribe",
    "references": "references",
    "reply-to": "reply_to",
}
_OPTIONS = {**_OPTIONAL, **_RESERVED}
#: Fields whose value is a list of addresses; each name in it is encoded separately.
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
#: Fields that programs read, and in which no encoded word may stand (RFC 2047 section 5).
_STRUCTURED = re.compile(
    r"(?:arc-.*|archived-at|authentication-results|auto-submitted|autocrypt.*|content-(?!description\Z).*|"
    r"delivered-to|dkim-.*|domainkey-.*|expires|feedback-id|importance|in-reply-to|list-(?!id\Z).*|original-message-id|precedence|priority|"
    r"received.*|references|resent-(?:date|message-id)|supersedes|tls-required|x-auto-response-suppress|"
    r"x-google-dkim-signature|x-message-id|x-(?:msmail-)?priority|x-original-to|x-smtpapi|x-msys-api|"
    r"x-(?:mailgun|mailin|mandrill|mc|mj|pm|ses|sib)-.*)\Z",  # read by Mailgun, Brevo, Mandrill, Mailjet and others
    re.IGNORECASE,
)
#: Fields that mail programs evaluate: X-Priority by usage, Importance and Priority by RFC 2156 section 5.3.
_PRIORITY_FIELDS: t.Mapping[Priority, t.Sequence[Field]] = {
    Priority.HIGH: (("X-Priority", "1"), ("Importance", "high"), ("Priority", "urgent")),
    Priority.NORMAL: (("X-Priority", "3"), ("Importance", "normal"), ("Priority", "normal")),
    Priority.LOW: (("X-Priority", "5"), ("Importance", "low"), ("Priority", "non-urgent")),
}
_NO_OPTION = "cannot be set, since it follows from the parts of the message; remove it"
_AUTO_SUBMITTED = re.compile(r"(?:no|auto-[a-z]+)\Z")
_URI = re.compile(r"(?:mailto|https):[!-;=?-~]+\Z", re.IGNORECASE)


def header_fields(message: Message, charset: Charset | None, message_id: str, second: int) -> list[bytes]:
    """Return the fields, each with its line end.

    :param charset: charset of encoded words; None writes UTF-8 (RFC 6532).
    :param second: value of Date, in seconds since the epoch.
    :raises MessageError: a value cannot be written, or a field is given twice.
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
        raise InvalidHeader(f"subject: {error}") from None


def _address_fields(message: Message, charset: Charset | None) -> t.Iterator[Field]:
    yield "From", header_list((message.sender,), charset)
    if message.sent_by and message.sent_by.address != message.sender.address:
        yield "Sender", message.sent_by.header(charset)
    for name, mailboxes in (("To", message.to), ("Cc", message.cc), ("Reply-To", message.reply_to)):
        if mailboxes:
            yield name, header_list(tuple(mailboxes), charset)


def _thread_fields(message: Message) -> t.Iterator[Field]:
    """Yield In-Reply-To and References: the thread, with the answered messages last (RFC 5322 section 3.6.4)."""
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
                f"list_unsubscribe: {uri!r} is not a valid URI; expected mailto: or https:, with other characters "
                "percent-encoded"
            )
    if uris:
        yield "List-Unsubscribe", ", ".join(f"<{uri}>" for uri in uris)
    if message.one_click:
        if not any(uri.lower().startswith("https:") for uri in uris):
            raise InvalidMessage("one_click_unsubscribe needs an https: URI in list_unsubscribe (RFC 8058)")
        yield "List-Unsubscribe-Post", "List-Unsubscribe=One-Click"


def _auto_submitted(message: Message) -> t.Sequence[Field]:
    """Return Auto-Submitted, which suppresses vacation replies (RFC 3834 section 5). No field means ``no``."""
    value = message.auto_submitted.lower()
    if not _AUTO_SUBMITTED.match(value):
        raise InvalidMessage(f"auto_submitted: {value!r} is not valid; expected no, auto-generated or auto-replied")
    return () if value == "no" else (("Auto-Submitted", value),)


def _with_custom(fields: list[Field], message: Message, charset: Charset | None) -> list[Field]:
    """Append the fields of the option headers. One that an option has already written is refused."""
    custom_names = {name.lower() for name in message.headers}
    if len(custom_names) < len(message.headers):
        raise InvalidMessage("headers: one header is given twice, in different letter case; give its values as a list")
    if "auto-submitted" not in custom_names:
        fields = [*fields, *_auto_submitted(message)]
    taken = {*_RESERVED, *(name.lower() for name, dummy in fields)}
    for name, values in message.headers.items():
        if name.lower() in taken:
            option = _OPTIONS.get(name.lower())
            remedy = f"is written by this module; use the option {option} instead" if option else _NO_OPTION
            raise InvalidMessage(f"headers: {name} {remedy}")
        for value in [values] if isinstance(values, str) else values:
            fields.append((name, _custom_value(name, value, charset)))
    return fields


def _custom_value(name: str, value: str, charset: Charset | None) -> str:
    """Return the value encoded. ASCII stays as it is, since the module cannot know who reads a field and how."""
    if name.lower() in _ADDRESS_FIELDS:
        return header_list(tuple(in_option(f"headers, {name}", parse_mailboxes, value)), charset)
    return in_option(f"headers, {name}", _encoded, name, value, charset)


def _encoded(name: str, value: str, charset: Charset | None) -> str:
    if value.isascii():
        check_text(value)
        return value.strip()
    if _STRUCTURED.match(name):
        raise InvalidHeader(
            f"{value!r} contains a character outside ASCII, which this header cannot hold (RFC 2047 section 5); "
            "percent-encode it in a URI, or write it as \\u00fc in JSON"
        )
    return encode_text(value, charset, name)

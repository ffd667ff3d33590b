# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Message-ID and the date of a message (RFC 5322 sections 3.3 and 3.6.4)."""

from __future__ import annotations

import functools
import hashlib
import re
import secrets
import time
import typing as t
from datetime import datetime
from email.utils import formatdate, parsedate_to_datetime

from .domains import ascii_domain
from .errors import InvalidMessage

if t.TYPE_CHECKING:
    from .message import Message

_ID = re.compile(r"<[!-;=?-~]{1,900}>\Z")


def new_message_id(domain: str) -> str:
    """Return a globally unique Message-ID, with its angle brackets."""
    return f"<{int(time.time()):x}.{secrets.token_hex(10)}@{domain}>"


def stable_message_id(key: str, domain: str) -> str:
    """Return the same Message-ID for the same key, so that a repeated message is recognised."""
    return f"<{hashlib.sha256(key.encode('utf-8', 'surrogatepass')).hexdigest()[:40]}@{ascii_domain(domain)}>"


def fingerprint(message: Message) -> str:
    """Return a key for a message that has none; equal messages have equal keys."""
    files = [(file.name, hashlib.sha256(file.content).hexdigest()) for file in message.attachments]
    return repr([(name, value) for name, value in vars(message).items() if name != "attachments"] + files)


def parse_message_id(text: str) -> str:
    """Return a Message-ID; angle brackets are added if it has none.

    :raises InvalidMessage: the text is not a valid Message-ID.
    """
    text = text.strip()
    bracketed = text if text.startswith("<") else f"<{text}>"
    if not _ID.match(bracketed):
        raise InvalidMessage(f"{text!r} is not a valid Message-ID; expected one such as <2f1c.77@example.com>")
    return bracketed


def parse_message_ids(value: str | t.Sequence[str]) -> list[str]:
    """Return several Message-IDs, each once, from a list or from text with white space or commas between them.

    :raises InvalidMessage: one of them is not valid.
    """
    items = [value] if isinstance(value, str) else value
    words = [word for item in items for word in re.split(r"[\s,]+|(?<=>)(?=<)", item) if word]
    return list(dict.fromkeys(map(parse_message_id, words)))


def parse_date(text: str) -> datetime:
    """Parse a date in the form of the Date header or of ISO 8601; without an offset, it is local time.

    :raises InvalidMessage: the text is not a date, or not one that Date may have (RFC 5322 section 3.3).
    """
    date = _read_date(text)
    if date is None:
        raise InvalidMessage(
            f"date: {text!r} is not a valid date; expected one such as 2026-11-21T10:00:00+01:00 or Sat, 21 Nov 2026 "
            "10:00:00 +0100"
        )
    if not 1900 < date.year < 9999:  # leaves a day for conversion to another time zone
        raise InvalidMessage(f"date: {text!r} is out of range; expected a year after 1900 and before 9999")
    return date


def _read_date(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(re.sub(r"[zZ]\Z", "+00:00", text.strip()))
    except ValueError:
        pass
    try:
        return parsedate_to_datetime(text)
    except (TypeError, ValueError, IndexError):
        return None


@functools.lru_cache(maxsize=2)
def date_text(second: int) -> str:
    """Return the value of Date, in local time.

    :param second: seconds since the epoch.
    """
    return formatdate(second, localtime=True)

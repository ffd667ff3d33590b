# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Messages for tests: composed, checked line by line, and read back with the parser of the standard library."""

from __future__ import annotations

import re
import typing as t
from email import message_from_bytes, message_from_string, policy
from email.errors import NonASCIILocalPartDefect
from email.message import EmailMessage

from hypothesis import strategies as st

from ansible_collections.mailops.smtp.plugins.module_utils._message.addresses import parse_mailbox
from ansible_collections.mailops.smtp.plugins.module_utils._message.compose import Composed, compose
from ansible_collections.mailops.smtp.plugins.module_utils._message.message import Message

SENDER = parse_mailbox("Jürgen <j@a.test>")
RECIPIENT = parse_mailbox("r@b.test")

#: Text of one line, in any script.
one_line = st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]), max_size=300)
#: Text of any number of lines.
any_text = st.text(st.characters(exclude_categories=["Cs"]), max_size=2000)
#: Words and spaces around the limits of lines, which random text seldom reaches.
long_lines = st.lists(
    st.sampled_from(["a", "ü", "=?", " ", "\t", "日本", "x" * 70, "y" * 1000, '"', "\\"]), max_size=12
)
header_text = one_line | long_lines.map("".join)

_ENCODED_WORD = re.compile(r"=\?[^? ]+\?[BQ]\?[^? ]*\?=")
_BODY_LIMITS = {"7bit": 998, "quoted-printable": 76, "base64": 76}


def message(**changes: t.Any) -> Message:
    defaults: dict[str, t.Any] = {"sender": SENDER, "to": [RECIPIENT], "subject": "Hello", "body": "text"}
    return Message(**{**defaults, **changes})


def composed(**changes: t.Any) -> Composed:
    result = compose(message(**changes))
    check_lines(result.content)
    return result


def written(**changes: t.Any) -> bytes:
    return composed(**changes).content


def read_back(**changes: t.Any) -> EmailMessage:
    """Compose a message and parse it.

    :raises AssertionError: the message or one of its parts has a defect.
    """
    return parse(composed(**changes).content)


def parse(content: bytes) -> EmailMessage:
    header = content.partition(b"\r\n\r\n")[0]
    if header.isascii():
        parsed = message_from_bytes(content, policy=policy.default)
    else:  # for SMTPUTF8; the parser of bytes supports only ASCII
        parsed = message_from_string(content.decode("utf-8"), policy=policy.default)
    assert isinstance(parsed, EmailMessage)
    for part in parsed.walk():
        assert not part.defects, (part.defects, part.as_bytes()[:500])
        for name, value in part.items():
            defects = [defect for defect in value.defects if not isinstance(defect, NonASCIILocalPartDefect)]
            assert not defects, (name, value, defects)
    return parsed


def check_lines(content: bytes) -> None:
    """Check for CRLF line ends, no line over 998 octets, no NUL, and no header line of white space only.

    RFC 5321 section 4.5.3.1.6, RFC 5322 sections 2.3 and 3.2.2.
    """
    assert content.endswith(b"\r\n")
    lines = content.split(b"\r\n")
    assert not any(b"\r" in line or b"\n" in line or b"\0" in line for line in lines)
    assert max(map(len, lines)) <= 998
    header = content.partition(b"\r\n\r\n")[0]
    assert not re.search(rb"(?m)^[ \t]+\r?$", header), header
    check_header_lines(header)
    check_encoded_lines(content)


def check_header_lines(header: bytes) -> None:
    """Check the lines of a header: RFC 2047 section 2 (75 and 76 characters), RFC 5322 section 2.1.1 (78 and 998)."""
    for line in header.decode("utf-8").removesuffix("\r\n").split("\r\n"):
        words = _ENCODED_WORD.findall(line)
        assert max(map(len, words), default=0) <= 75, line
        assert len(line) <= 76 or not words, line
        value = line.partition(": ")[2] if not line.startswith((" ", "\t")) else line
        foldable = re.search(r"[^ \t][ \t]+[^ \t]", value)
        assert len(line) <= 78 or not foldable, line


def check_encoded_lines(content: bytes) -> None:
    """Check the lines of every part by its transfer encoding (RFC 2045 sections 2.7, 6.7 and 6.8)."""
    for part in message_from_bytes(content).walk():
        if part.is_multipart():
            continue
        limit = _BODY_LIMITS[part.get("Content-Transfer-Encoding", "7bit")]
        body = str(part.get_payload()).replace("\r\n", "\n")
        assert max(map(len, body.split("\n"))) <= limit, body


def text_of(part: t.Any) -> str:
    return str(part.get_content()).replace("\r\n", "\n")


def with_line_ends(text: str) -> str:
    """Return text as a text part reads back."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text if text.endswith("\n") or not text else text + "\n"


def shape(part: t.Any) -> t.Any:
    """Return the types of a message as nested lists: ``[multipart/mixed, text/plain, image/png]``."""
    if not part.is_multipart() or part.get_content_type() == "message/rfc822":
        return part.get_content_type()
    return [part.get_content_type(), *map(shape, part.iter_parts())]

# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Replies of an SMTP server and their parser (RFC 5321 section 4.2, RFC 2034, RFC 3463)."""

from __future__ import annotations

import functools
import re
import typing as t

#: RFC 5321 section 4.5.3.1.5 allows 512 octets per line; some servers send more.
MAX_LINE_LENGTH = 4096
#: An EHLO reply of a large server has about twenty lines.
MAX_LINES = 128

_LINE = re.compile(rb"([2-5][0-9]{2})(?:([ -])([^\r\n]*))?\r?\n?\Z")
#: The enhanced code before a text. Some servers write ``#5.1.0``, ``(5.1.1)``, ``[5.7.1]`` or ``5.7.1:``.
ENHANCED = re.compile(r"\A[#(<\[]{0,2}([245]\.[0-9]{1,3}\.[0-9]{1,3})[)>\]]?[:;,.-]?(?:\s+|\Z)")
#: qmail writes it at the end.
_ENHANCED_AT_END = re.compile(r"[(\[]#([245]\.[0-9]{1,3}\.[0-9]{1,3})[)\]]\.?\Z")
#: Control characters, and characters that change the order of text on a terminal.
_UNPRINTABLE = re.compile("[\x00-\x08\x0a-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]")
#: The beginning of a line of other servers -> what they speak.
_OTHER_PROTOCOLS = (
    (rb"HTTP/|<!doctype|<html", "HTTP"),
    (rb"\* (?:OK|BYE|PREAUTH)\b", "IMAP"),
    (rb"\+OK\b", "POP3"),
    (rb"-ERR\b", "POP3 or Redis"),
    (rb'"IMPLEMENTATION"', "ManageSieve"),
    (rb"SSH-[12]", "SSH"),
    (rb":\S+ (?:NOTICE|ERROR)\b|NOTICE ", "IRC"),
    (rb"\xff[\xfb-\xfe]", "Telnet"),
    (rb"[\x14-\x17]\x03[\x00-\x04]", "TLS"),
)


class MalformedReply(ValueError):
    """The line is not a valid line of an SMTP reply.

    :param advice: what to do.
    """

    def __init__(self, problem: str, advice: str = "Check that host and port are those of an SMTP server.") -> None:
        super().__init__(problem)
        self.advice = advice

    @classmethod
    def of(cls, line: bytes) -> MalformedReply:
        """Return the error for a line, which quotes it and names what the server speaks, if that is known."""
        quoted = f'"{_printable(line[:60])}"'
        protocol = next((name for form, name in _OTHER_PROTOCOLS if re.match(form, line, re.IGNORECASE)), "")
        if not protocol:
            return cls(quoted)
        if protocol == "TLS":
            return cls("it is TLS", "A port with TLS from the first byte, such as 465, needs tls: implicit.")
        return cls(
            f"{quoted} is {protocol}", "Set host and port to those of an SMTP server, often port 587, 465 or 25."
        )


class Reply(t.NamedTuple):
    """One complete reply.

    :param code: the three-digit code, that of the last line: the lines of some servers differ.
    :param lines: the text of each line, without code, line end and blanks around it.
    """

    code: int
    lines: tuple[str, ...]

    @property
    def positive(self) -> bool:
        """2yz: the command is completed."""
        return 200 <= self.code < 300

    @property
    def intermediate(self) -> bool:
        """3yz: the server waits for more input."""
        return 300 <= self.code < 400

    @property
    def transient(self) -> bool:
        """4yz: a temporary failure."""
        return 400 <= self.code < 500

    @property
    def permanent(self) -> bool:
        """5yz: a permanent failure."""
        return self.code >= 500

    @property
    def enhanced(self) -> str | None:
        """The enhanced status code such as ``5.7.8``: the first one of the code's class, else the first (RFC 2034)."""
        matches = [form.search(line) for form in (ENHANCED, _ENHANCED_AT_END) for line in self.lines]
        found = [match.group(1) for match in matches if match]
        return next((one for one in found if one[0] == str(self.code)[0]), found[0] if found else None)

    @property
    def text(self) -> str:
        """The text of all lines, with the enhanced code only once."""
        if len(self.lines) == 1:
            return self.lines[0]
        texts: list[str] = []
        codes: set[str | None] = set()
        for line in self.lines:
            prefix = ENHANCED.match(line)
            code = prefix.group(1) if prefix else None
            texts.append(line[prefix.end() :] if prefix and code in codes else line)
            codes.add(code)
        return " ".join(filter(None, texts))

    def rewritten(self, change: t.Callable[[str], str]) -> Reply:
        """Return the reply with each line changed, for example to hide secrets that the server echoes."""
        return self._replace(lines=tuple(map(change, self.lines)))

    def __str__(self) -> str:
        return f"{self.code} {self.text}".rstrip()


def parse_reply_line(line: bytes) -> tuple[int, bool, str]:
    """Split one line of a reply, with or without its line end.

    :returns: code, whether it is the last line of its reply, text. Bytes that are not UTF-8 become U+FFFD, control
        characters become a question mark, since the text goes to logs and terminals.
    :raises MalformedReply: the line does not begin with a code, or is too long.
    """
    match = _LINE.match(line)
    if match is None or len(line) > MAX_LINE_LENGTH:
        raise MalformedReply.of(line)
    code, separator, text = match.groups()
    return int(code), separator != b"-", _printable(text or b"")


def _printable(text: bytes) -> str:
    return _UNPRINTABLE.sub("?", text.decode("utf-8", "replace").strip())


@functools.lru_cache(maxsize=256)
def single_line_reply(line: bytes) -> Reply | None:
    """Return the reply of one line, or None if more lines follow; cached, since servers repeat the same few replies.

    :raises MalformedReply: see :func:`parse_reply_line`.
    """
    code, last, text = parse_reply_line(line)
    return Reply(code, (text,)) if last else None


class ReplyParser:
    """Collects lines until a reply is complete.

    The code of the last line decides: RFC 5321 section 4.2.1 wants the same code on each line, and some servers refuse
    in the last line of what began as a greeting.

    :raises MalformedReply: from :meth:`feed`, for a malformed line or too many lines.
    """

    def __init__(self) -> None:
        self._lines: list[str] = []

    def feed(self, line: bytes) -> Reply | None:
        """Add one line; return the reply if this was its last line."""
        code, last, text = parse_reply_line(line)
        if len(self._lines) >= MAX_LINES:
            raise MalformedReply(f"a reply of more than {MAX_LINES} lines")
        self._lines.append(text)
        if not last:
            return None
        reply = Reply(code, tuple(self._lines))
        self._lines = []
        return reply

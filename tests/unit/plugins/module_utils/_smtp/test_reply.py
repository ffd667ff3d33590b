# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Parsing of replies and capabilities.

Covers _smtp/reply.py and _smtp/capabilities.py.
"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.mailops.smtp.plugins.module_utils._smtp.capabilities import Capabilities
from ansible_collections.mailops.smtp.plugins.module_utils._smtp.reply import (
    MAX_LINES,
    MalformedReply,
    Reply,
    ReplyParser,
    parse_reply_line,
)

GOOD_LINES = [
    (b"250 ok\r\n", (250, True, "ok")),
    (b"250-SIZE 1000\r\n", (250, False, "SIZE 1000")),
    (b"250\r\n", (250, True, "")),
    (b"354 go\n", (354, True, "go")),
    (b"550 caf\xc3\xa9\r\n", (550, True, "café")),
    (b"550 bad \xff byte\r\n", (550, True, "bad \ufffd byte")),
    (b"550 a\x1b[31mb\r\n", (550, True, "a?[31mb")),
    ("550 a\u202eb\u2028c\u2066\r\n".encode(), (550, True, "a?b?c?")),
]
BAD_LINES = [
    b"",
    b"\r\n",
    b"25 ok\r\n",
    b"HTTP/1.1 400\r\n",
    b"250_ok\r\n",
    b"199 no\r\n",
    b"650 no\r\n",
    b"250 " + b"x" * 5000,
]


@pytest.mark.parametrize(("line", "expected"), GOOD_LINES)
def test_line_is_parsed(line: bytes, expected: tuple[int, bool, str]) -> None:
    assert parse_reply_line(line) == expected


@pytest.mark.parametrize("line", BAD_LINES)
def test_malformed_line_is_refused(line: bytes) -> None:
    with pytest.raises(MalformedReply):
        parse_reply_line(line)


PORT_ADVICE = "Set host and port to those of an SMTP server, often port 587, 465 or 25."
#: Line of another server -> what is told, and the advice
OTHER_PROTOCOLS = [
    (b"HTTP/1.1 400 Bad Request\r\n", '"HTTP/1.1 400 Bad Request" is HTTP', PORT_ADVICE),
    (b"<!DOCTYPE html>\n", '"<!DOCTYPE html>" is HTTP', PORT_ADVICE),
    (b"* OK [CAPABILITY IMAP4rev1] ready.\r\n", '"* OK [CAPABILITY IMAP4rev1] ready." is IMAP', PORT_ADVICE),
    (b"* BYE too many\r\n", '"* BYE too many" is IMAP', PORT_ADVICE),
    (b"+OK Dovecot ready.\r\n", '"+OK Dovecot ready." is POP3', PORT_ADVICE),
    (b"-ERR unknown command\r\n", '"-ERR unknown command" is POP3 or Redis', PORT_ADVICE),
    (b'"IMPLEMENTATION" "Dovecot"\r\n', '""IMPLEMENTATION" "Dovecot"" is ManageSieve', PORT_ADVICE),
    (b"SSH-2.0-OpenSSH_9.2p1\r\n", '"SSH-2.0-OpenSSH_9.2p1" is SSH', PORT_ADVICE),
    (b":irc.b.test NOTICE * :hello\r\n", '":irc.b.test NOTICE * :hello" is IRC', PORT_ADVICE),
    (b"\xff\xfd\x18login\n", '"\ufffd\ufffd?login" is Telnet', PORT_ADVICE),
    (b"\x15\x03\x01\x00\x02\x02\n", "it is TLS", "tls: implicit"),
    (b"hello b'x' \x1b\n", "\"hello b'x' ?\"", "Check that host and port are those of an SMTP server."),
]


@pytest.mark.parametrize(("line", "told", "advice"), OTHER_PROTOCOLS)
def test_other_protocol_is_quoted_and_named(line: bytes, told: str, advice: str) -> None:
    with pytest.raises(MalformedReply) as caught:
        parse_reply_line(line)
    assert str(caught.value) == told
    assert advice in caught.value.advice


@given(st.binary(max_size=200))
def test_any_line_is_parsed_or_refused(line: bytes) -> None:
    try:
        code, _last, text = parse_reply_line(line)
    except MalformedReply:
        return
    assert 200 <= code <= 599
    assert "\r" not in text
    assert "\n" not in text


#: Lines, most of which look like lines of a reply.
LINES = st.one_of(
    st.builds(
        lambda code, mark, text: b"%d%s%s\r\n" % (code, mark, text),
        st.integers(190, 610),
        st.sampled_from([b" ", b"-", b"", b"_"]),
        st.binary(max_size=40),
    ),
    st.sampled_from([b"250-more\r\n", b"250 last\n", b"250-5.1.1\r\n"]),
    st.binary(max_size=40),
)


@given(st.lists(LINES, max_size=30))
def test_any_lines_are_replies_or_refused(lines: list[bytes]) -> None:
    """Parsing raises only the documented error, and the text has no control characters."""
    parser, count = ReplyParser(), 0
    for line in lines:
        try:
            reply = parser.feed(line)
        except MalformedReply:
            return
        count += 1
        if reply is None:
            continue
        assert len(reply.lines) == count <= MAX_LINES
        assert reply.positive + reply.intermediate + reply.transient + reply.permanent == 1
        assert not [
            character for character in f"{reply}{reply.text}{reply.enhanced}" if character < " " and character != "\t"
        ]
        Capabilities.parse(reply)
        count = 0


@given(st.lists(st.text(max_size=60) | st.from_regex(r"(AUTH|SIZE|X-?)[ =].{0,20}", fullmatch=True), min_size=1))
def test_any_capabilities_are_parsed(lines: list[str]) -> None:
    capabilities = Capabilities.parse(Reply(250, tuple(lines)))
    assert capabilities.max_size is None or capabilities.max_size > 0
    assert all(name == name.upper() and name in capabilities for name in capabilities.keywords)
    assert len(set(capabilities.auth_mechanisms)) == len(capabilities.auth_mechanisms)


def test_parser_joins_lines() -> None:
    parser = ReplyParser()
    assert parser.feed(b"550-5.7.26 not\r\n") is None
    assert parser.feed(b"550 5.7.26 authenticated\r\n") == Reply(550, ("5.7.26 not", "5.7.26 authenticated"))


#: Lines whose codes differ -> code, text and enhanced code of the reply
MIXED = [
    ([b"220-mx\r\n", b"521 5.7.1 blocked using zen\r\n"], 521, "mx 5.7.1 blocked using zen", "5.7.1"),
    ([b"250-2.1.5 one\r\n", b"550 5.1.1 two\r\n"], 550, "2.1.5 one 5.1.1 two", "5.1.1"),
    ([b"550-5.1.1 one\r\n", b"450 4.2.0 two\r\n"], 450, "5.1.1 one 4.2.0 two", "4.2.0"),
    ([b"550-no\r\n", b"250 ok\r\n"], 250, "no ok", None),
    ([b"220-mx\r\n", b"220-no mail\r\n", b"421 4.7.0 try later\r\n"], 421, "mx no mail 4.7.0 try later", "4.7.0"),
]


@pytest.mark.parametrize(("lines", "code", "text", "enhanced"), MIXED)
def test_last_line_decides(lines: list[bytes], code: int, text: str, enhanced: str | None) -> None:
    parser = ReplyParser()
    *_none, reply = map(parser.feed, lines)
    assert reply is not None
    assert (reply.code, reply.text, reply.enhanced) == (code, text, enhanced)


#: Lines -> the text told, without blanks around the text of a line, as Exim and others send them
BLANKS = [
    ([b"550-  Callout failed\r\n", b"550  for <a@b.test>\r\n"], "550 Callout failed for <a@b.test>"),
    ([b"550 \ttext \r\n"], "550 text"),
    ([b"550-\r\n", b"550-one\r\n", b"550- \r\n", b"550 two\r\n"], "550 one two"),
    ([b"550- 5.7.1 one\r\n", b"550  5.7.1 two\r\n"], "550 5.7.1 one two"),
    ([b"550-one\r\n", b"550\r\n"], "550 one"),
    ([b"550 \xc2\xa0text\r\n"], "550 text"),
    ([b"550-5.7.1\r\n", b"550 5.7.1 text\r\n"], "550 5.7.1 text"),
    ([b"550-one\r\n", b"550 5.7.1 two\r\n"], "550 one 5.7.1 two"),
]


@pytest.mark.parametrize(("lines", "told"), BLANKS)
def test_blanks_around_the_lines_of_a_reply_are_not_told(lines: list[bytes], told: str) -> None:
    parser = ReplyParser()
    *_none, reply = map(parser.feed, lines)
    assert reply is not None
    assert str(reply) == told
    assert "550 " + reply.text == told


def test_parser_refuses_endless_replies() -> None:
    parser = ReplyParser()
    for _line in range(MAX_LINES):
        parser.feed(b"250-more\r\n")
    with pytest.raises(MalformedReply, match="more than"):
        parser.feed(b"250-more\r\n")


@pytest.mark.parametrize(
    ("lines", "enhanced", "text"),
    [
        (("2.1.5 Ok",), "2.1.5", "2.1.5 Ok"),
        (("5.7.26 not", "5.7.26 authenticated"), "5.7.26", "5.7.26 not authenticated"),
        (("Ok",), None, "Ok"),
        (("3.5.1000 no code",), None, "3.5.1000 no code"),
        (("#5.1.0 no",), "5.1.0", "#5.1.0 no"),
        (("(5.1.1) no",), "5.1.1", "(5.1.1) no"),
        (("(#5.1.1) no",), "5.1.1", "(#5.1.1) no"),
        (("[5.7.1] no",), "5.7.1", "[5.7.1] no"),
        (("5.7.1: no",), "5.7.1", "5.7.1: no"),
        (("5.7.1- no",), "5.7.1", "5.7.1- no"),
        (("<5.7.1> no",), "5.7.1", "<5.7.1> no"),
        (("sorry, no mailbox here by that name. (#5.1.1)",), "5.1.1", "sorry, no mailbox here by that name. (#5.1.1)"),
        (("#5.1.0 one", "#5.1.0 two"), "5.1.0", "#5.1.0 one two"),
        (("5.7.1: one", "5.7.1: two"), "5.7.1", "5.7.1: one two"),
        (("5.2.3.4 is blocked",), None, "5.2.3.4 is blocked"),
        (("[5.2.3.4] is blocked",), None, "[5.2.3.4] is blocked"),
        (("blocked by version 5.2.3",), None, "blocked by version 5.2.3"),
    ],
)
def test_enhanced_code_is_in_the_text_once(lines: tuple[str, ...], enhanced: str | None, text: str) -> None:
    reply = Reply(550, lines)
    assert reply.enhanced == enhanced
    assert reply.text == text


EHLO = Reply(
    250, ("mx.test greets you", "SIZE 1000", "AUTH PLAIN login", "AUTH=PLAIN XOAUTH2", "8BITMIME", "%junk", "")
)


def test_capabilities_are_parsed() -> None:
    capabilities = Capabilities.parse(EHLO)
    assert "8bitmime" in capabilities
    assert "STARTTLS" not in capabilities
    assert capabilities.auth_mechanisms == ("PLAIN", "LOGIN", "XOAUTH2")
    assert capabilities.max_size == 1000


@pytest.mark.parametrize(("line", "size"), [("SIZE", None), ("SIZE 0", None), ("SIZE x", None), ("SIZE 5", 5)])
def test_size_limit_is_a_positive_number_or_none(line: str, size: int | None) -> None:
    assert Capabilities.parse(Reply(250, ("hello", line))).max_size == size

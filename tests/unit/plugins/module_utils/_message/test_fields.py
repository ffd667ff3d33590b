# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Header fields: those of options, and those in the option headers."""

from __future__ import annotations

import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.mailops.smtp.plugins.module_utils._message.addresses import Mailbox, parse_mailbox
from ansible_collections.mailops.smtp.plugins.module_utils._message.errors import (
    InvalidHeader,
    InvalidMessage,
    MessageError,
)
from ansible_collections.mailops.smtp.plugins.module_utils._message.message import Priority
from ansible_collections.mailops.smtp.tests.unit.support.messages import read_back, written

JO, MAX = parse_mailbox("Jo <jo@a.test>"), parse_mailbox("Max <max@a.test>")

FIELDS: list[tuple[dict[str, t.Any], dict[str, str | None]]] = [
    ({}, {"Auto-Submitted": "auto-generated", "Sender": None, "Reply-To": None, "X-Priority": None, "Cc": None}),
    ({}, {"References": None, "In-Reply-To": None, "List-Unsubscribe": None, "User-Agent": None, "X-Mailer": None}),
    ({"auto_submitted": "no"}, {"Auto-Submitted": None}),
    ({"auto_submitted": "Auto-Replied"}, {"Auto-Submitted": "auto-replied"}),
    ({"headers": {"auto-submitted": "auto-notified"}}, {"Auto-Submitted": "auto-notified"}),
    ({"priority": Priority.HIGH}, {"X-Priority": "1", "Importance": "high", "Priority": "urgent"}),
    ({"priority": Priority.NORMAL}, {"X-Priority": "3", "Importance": "normal", "Priority": "normal"}),
    ({"priority": Priority.LOW}, {"X-Priority": "5", "Importance": "low", "Priority": "non-urgent"}),
    ({"in_reply_to": "a@b"}, {"In-Reply-To": "<a@b>", "References": "<a@b>"}),
    ({"in_reply_to": ["<c@d>"], "references": ["<a@b>"]}, {"In-Reply-To": "<c@d>", "References": "<a@b> <c@d>"}),
    ({"in_reply_to": "<c@d>", "references": "<a@b> <c@d>"}, {"References": "<a@b> <c@d>"}),
    ({"references": "<a@b><c@d>, e@f"}, {"In-Reply-To": None, "References": "<a@b> <c@d> <e@f>"}),
    ({"sender": JO, "sent_by": JO}, {"From": "Jo <jo@a.test>", "Sender": None}),
    ({"sender": JO, "sent_by": MAX}, {"From": "Jo <jo@a.test>", "Sender": "Max <max@a.test>"}),
    ({"sender": JO, "envelope_sender": "bounces@a.test"}, {"Sender": None}),
    ({"reply_to": [JO, MAX]}, {"Reply-To": "Jo <jo@a.test>, Max <max@a.test>"}),
    ({"to": [], "bcc": [JO]}, {"To": None, "Bcc": None}),
    (
        {"list_unsubscribe": ["mailto:a@b.test?subject=x|y", "<https://b.test/u?a=1,2>"]},
        {
            "List-Unsubscribe": "<mailto:a@b.test?subject=x|y>, <https://b.test/u?a=1,2>",
            "List-Unsubscribe-Post": None,
        },
    ),
    (
        {"list_unsubscribe": ["https://b.test/u"], "one_click": True},
        {"List-Unsubscribe": "<https://b.test/u>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"},
    ),
    ({"headers": {"X-A": "Grüße"}}, {"X-A": "Grüße"}),
]


@pytest.mark.parametrize(("changes", "expected"), FIELDS)
def test_options_set_their_fields(changes: dict[str, t.Any], expected: dict[str, str | None]) -> None:
    parsed = read_back(**changes)
    assert {name: parsed[name] for name in expected} == expected
    assert len({name.lower() for name in parsed}) == len(parsed)


def test_field_may_occur_several_times() -> None:
    assert read_back(headers={"X-Mailgun-Tag": ["a", "b"]}).get_all("X-Mailgun-Tag") == ["a", "b"]


def test_addresses_in_headers_are_encoded_name_by_name() -> None:
    """ansible/ansible#58543: Reply-To was one encoded word, so that replies failed."""
    content = written(headers={"Reply-To": "Jürgen <j@x.test>, b@bücher.example"})
    assert b"Reply-To: =?utf-8?Q?J=C3=BCrgen?= <j@x.test>, b@xn--bcher-kva.example\r\n" in content


URL = "https://news.example.com/u?t=" + "0123456789abcdef" * 30
JSON = '{"unique_args": {"run": "' + "x" * 450 + '", "note": "a b  c"}, "category": ["a", "b"]}'
RAW = [
    ("List-Unsubscribe", f"<{URL}>"),
    ("List-Unsubscribe", f"<mailto:u@a.test?subject=x|y>, <{URL}>"),
    ("List-Unsubscribe", "<https://a.test/?a=?b&c=?=>"),
    ("List-Help", f"<{URL}> (help)"),
    ("X-SMTPAPI", JSON),
    ("X-SMTPAPI", JSON.replace(" ", "")),
    ("X-Mailgun-Variables", '{"a":"' + "b" * 900 + '"}'),
    ("References", "<" + "a" * 450 + "@b.test>"),
    ("In-Reply-To", "<" + "a" * 450 + "@b.test> <c@d.test>"),
    ("DKIM-Signature", "v=1; a=rsa-sha256; d=a.test; s=x; bh=AAAA=; b=" + "A" * 600),
    ("Authentication-Results", "mx.test; dkim=pass header.b=" + "A" * 500),
    ("Received", "from a.test by b.test id " + "a" * 500 + "; Sat, 21 Nov 2026 10:00:00 +0100"),
    ("Feedback-ID", "a:b:" + "c" * 500),
    ("Comments", "see " + URL),
    ("X-Trace", "a" * 990),
    ("X-Encoded", "=?utf-8?Q?J=C3=BCrgen?="),
    ("X-Tabs", "\t".join(["word"] * 300)),
]


@pytest.mark.parametrize(("name", "value"), RAW)
def test_ascii_in_headers_goes_as_it_is(name: str, value: str) -> None:
    """RFC 2047 section 5: no encoded word in a structured field. Folding adds only line breaks before white space."""
    content = written(sender=JO, headers={name: value}, auto_submitted="no")
    unfolded = content.replace(b"\r\n ", b" ").replace(b"\r\n\t", b"\t").decode()
    assert f"\r\n{name}: {value}\r\n" in unfolded


def test_long_uris_and_ids_of_options_go_as_they_are() -> None:
    content = written(list_unsubscribe=[URL, "mailto:u@a.test"], in_reply_to=f"<{'a' * 850}@b.test>")
    assert f"\r\nList-Unsubscribe: <{URL}>,\r\n <mailto:u@a.test>\r\n".encode() in content
    assert f"\r\nIn-Reply-To: <{'a' * 850}@b.test>\r\n".encode() in content
    with pytest.raises(InvalidHeader, match="the header List-Unsubscribe contains a word that makes a line of"):
        written(list_unsubscribe=[URL * 3])


@pytest.mark.parametrize("name", ["List-Unsubscribe", "X-SMTPAPI", "Feedback-ID", "Comments", "X-Any"])
@pytest.mark.parametrize("value", ["x" * 1000, "a " + "x" * 998 + " b", f"<{URL * 3}>"])
def test_ascii_word_too_long_for_a_line_is_refused(name: str, value: str) -> None:
    with pytest.raises(InvalidHeader, match=f"the header {name} contains a word that makes a line of [0-9]+ octets"):
        written(headers={name: value})


STRUCTURED = ["List-Unsubscribe", "list-help", "X-SMTPAPI", "References", "Content-Language", "X-Mailgun-Variables"]
STRUCTURED += ["X-MC-Metadata", "X-Mandrill-Data", "X-PM-Tag", "X-MSYS-API", "X-MJ-Vars", "X-Mailin-custom"]
STRUCTURED += ["X-Original-To", "Delivered-To", "X-SES-CONFIGURATION-SET"]


@pytest.mark.parametrize("name", STRUCTURED)
def test_structured_field_outside_ascii_is_refused(name: str) -> None:
    with pytest.raises(InvalidHeader, match=f"headers, {name}: .* cannot hold .RFC 2047 section 5.; percent-encode"):
        written(headers={name: "<https://a.test/ü>"})


@pytest.mark.parametrize("name", ["List-Id", "X-Note", "Comments", "Organization", "X-" + "Long-" * 14 + "Name"])
@pytest.mark.parametrize("value", ["Jürgen's list <a.example.com>", "部署完成 " * 40 + "x", " edges ü "])
def test_free_text_outside_ascii_is_encoded(name: str, value: str) -> None:
    content = written(headers={name: value})
    assert content.isascii()
    assert str(read_back(headers={name: value})[name]).lstrip() == value.lstrip()


RESERVED = {"From": "from", "sender": "from", "TO": "to", "Cc": "cc", "Bcc": "bcc", "Subject": "subject"}
RESERVED |= {"Date": "date", "Message-ID": "message_id", "Return-Path": "envelope_from"}
RESERVED |= dict.fromkeys(["MIME-Version", "Content-Type", "Content-Transfer-Encoding", "Content-Disposition"], "")
OPTIONAL: list[tuple[dict[str, t.Any], str, str]] = [
    ({"reply_to": [JO]}, "reply-to", "reply_to"),
    ({"priority": Priority.LOW}, "Importance", "priority"),
    ({"in_reply_to": "<a@b>"}, "References", "references"),
    ({"in_reply_to": "<a@b>"}, "In-Reply-To", "in_reply_to"),
    ({"list_unsubscribe": ["https://b.test/"]}, "List-Unsubscribe", "list_unsubscribe"),
    (
        {"list_unsubscribe": ["https://b.test/"], "one_click": True},
        "List-Unsubscribe-Post",
        "one_click_unsubscribe",
    ),
]


@pytest.mark.parametrize(("changes", "name", "option"), [*(({}, *pair) for pair in RESERVED.items()), *OPTIONAL])
def test_field_that_the_module_writes_is_refused_in_headers(changes: dict[str, t.Any], name: str, option: str) -> None:
    says = f"is written by this module; use the option {option} instead" if option else "cannot be set"
    with pytest.raises(InvalidMessage, match=f"headers: {name} {says}"):
        written(headers={name: "x"}, **changes)


@pytest.mark.parametrize(
    ("changes", "error", "words"),
    [
        ({"headers": {"X-A": "1", "x-a": "2"}}, InvalidMessage, "headers: one header is given twice"),
        ({"headers": {"Reply-To": "Doe, John <a@b.test>"}}, MessageError, '"Doe, John" <a@b.test>'),
        ({"auto_submitted": "perhaps"}, InvalidMessage, "auto_submitted: 'perhaps' is not valid"),
        ({"auto_submitted": "auto-x\r\nBcc: a@b"}, InvalidMessage, "auto_submitted"),
        ({"in_reply_to": "<a@b"}, InvalidMessage, "'<a@b' is not a valid Message-ID"),
        ({"references": ["ü@b"]}, InvalidMessage, "is not a valid Message-ID"),
        ({"references": "<" + "a" * 990 + "@b>"}, InvalidMessage, "is not a valid Message-ID"),
        ({"list_unsubscribe": ["http://b.test"]}, InvalidMessage, "expected mailto: or https:"),
        ({"list_unsubscribe": ["https://b.test/ x"]}, InvalidMessage, "percent-encoded"),
        ({"list_unsubscribe": ["https://b.test/ü"]}, InvalidMessage, "percent-encoded"),
        ({"list_unsubscribe": ["https://b.test/>\r\nBcc: a@b"]}, InvalidMessage, "percent-encoded"),
        ({"list_unsubscribe": ["mailto:a@b.test"], "one_click": True}, InvalidMessage, "RFC 8058"),
        ({"one_click": True}, InvalidMessage, "RFC 8058"),
    ],
)
def test_invalid_field_is_refused(changes: dict[str, t.Any], error: type[MessageError], words: str) -> None:
    with pytest.raises(error, match=words):
        written(**changes)


@given(st.lists(st.from_regex(r"[a-z0-9.]{1,200}@[a-z.]{1,60}", fullmatch=True), min_size=1, max_size=60, unique=True))
def test_any_thread_reads_back_unchanged(ids: list[str]) -> None:
    content = written(references=ids, in_reply_to=ids[-1])
    field = content.partition(b"\r\nReferences:")[2].partition(b"\r\nAuto-Submitted")[0]
    assert field.decode().split() == [f"<{identifier}>" for identifier in ids]
    assert max(map(len, field.split(b"\r\n"))) <= max(78, max(map(len, ids)) + 3)


@given(st.lists(st.builds(Mailbox, st.text('ab ,"üж日', max_size=80), st.just("a"), st.just("x.test")), min_size=1))
def test_any_list_of_mailboxes_reads_back_unchanged(people: list[Mailbox]) -> None:
    found = read_back(cc=people)["Cc"].addresses
    assert ["".join(a.display_name.split()) for a in found] == ["".join(p.name.split()) for p in people]
    assert {a.addr_spec for a in found} == {"a@x.test"}

# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Header text: encoded where it must be, folded where it is long, the same when read back."""

from __future__ import annotations

from email import message_from_bytes, policy

import pytest
from hypothesis import given

from ansible_collections.mailops.smtp.plugins.module_utils._message.addresses import Mailbox
from ansible_collections.mailops.smtp.plugins.module_utils._message.charsets import UTF_8, Charset
from ansible_collections.mailops.smtp.plugins.module_utils._message.errors import InvalidHeader
from ansible_collections.mailops.smtp.plugins.module_utils._message.headers import (
    encode_phrase,
    encode_text,
    header_field,
    parameter,
)
from ansible_collections.mailops.smtp.plugins.module_utils._message.mime import Attachment
from ansible_collections.mailops.smtp.tests.unit.support.messages import check_lines, header_text, read_back

SUBJECTS = [
    "Hello",
    "",
    " ",
    " edges ",
    "two  spaces",
    "Grüße aus Köln 🎉",
    "部署完成:生产环境 " * 8 + "x",
    "a " * 120 + "end",
    "x" * 2000,
    "x" * 2000 + " Grüße " + "y" * 500,
    "looks =?utf-8?q?encoded?= but is not",
    "tab\there",
    "  " * 60 + "x",
    "x" + " " * 200 + "y",
]


@pytest.mark.parametrize("subject", SUBJECTS)
def test_subject(subject: str) -> None:
    assert read_back(subject=subject)["Subject"] == subject


@given(header_text)
def test_any_subject_comes_back(subject: str) -> None:
    field = header_field("Subject", encode_text(subject))
    check_lines(field)
    assert message_from_bytes(field + b"\r\n", policy=policy.default)["Subject"] == subject
    assert all(len(line) <= 78 or b" " not in line[1:] for line in field.split(b"\r\n")[1:])


@given(header_text)
def test_any_name_comes_back(name: str) -> None:
    parsed = read_back(cc=[Mailbox(name, "a", "x.test"), Mailbox("", "b", "x.test")])
    # this parser folds white space in a name, and sees some between encoded words
    assert ["".join(a.display_name.split()) for a in parsed["Cc"].addresses] == ["".join(name.split()), ""]
    assert [a.addr_spec for a in parsed["Cc"].addresses] == ["a@x.test", "b@x.test"]


@pytest.mark.parametrize(
    ("text", "encoded"),
    [
        ("Jo Doe", "Jo Doe"),
        ("Doe, Jo", '"Doe, Jo"'),
        ('Jo "x"', r'"Jo \"x\""'),
        ("Backup (prod)", '"Backup (prod)"'),
        ("Jürgen", "=?utf-8?Q?J=C3=BCrgen?="),
        ("日本", "=?utf-8?B?5pel5pys?="),
        ("=?utf-8?q?x?=", "=?utf-8?B?PT91dGYtOD9xP3g/PQ==?="),
    ],
)
def test_phrases(text: str, encoded: str) -> None:
    assert encode_phrase(text) == encoded


@pytest.mark.parametrize(
    ("text", "encoded"),
    [
        ("plain, (text) <x>", "plain, (text) <x>"),
        ("Jürgen list <a.example.com>", "=?utf-8?Q?J=C3=BCrgen?= list <a.example.com>"),
        ("from Köln to Würzburg now", "from =?utf-8?B?S8O2bG4gdG8gV8O8cnpidXJn?= now"),
    ],
)
def test_only_what_needs_it_is_encoded(text: str, encoded: str) -> None:
    assert encode_text(text) == encoded


def test_words_are_short_and_never_split_a_character() -> None:
    for charset in (UTF_8, Charset("iso-2022-jp", "iso2022_jp"), Charset("gb18030", "gb18030")):
        words = encode_text("日本語ABC" * 40, charset).split(" ")
        assert len(words) > 1
        assert max(map(len, words)) <= 75
        for word in words:
            alone = message_from_bytes(f"Subject: {word}\r\n\r\n".encode(), policy=policy.default)["Subject"]
            assert alone in "日本語ABC" * 40


FILE_NAMES = [
    "a.txt",
    "with space.txt",
    'quo"te\\.txt',
    "ü.txt",
    "很长的文件名" * 20 + ".pdf",
    "x" * 200 + ".log",
    "semi;colon=.txt",
    "percent%20.txt",
]


@pytest.mark.parametrize("name", FILE_NAMES)
def test_file_names(name: str) -> None:
    parsed = read_back(attachments=[Attachment(name, b"x")])
    assert next(parsed.iter_attachments()).get_filename() == name


@given(header_text.filter(lambda name: name == name.strip() != "" and "\t" not in name))
def test_any_file_name_comes_back(name: str) -> None:
    part = next(read_back(attachments=[Attachment(name, b"x")]).iter_attachments())
    assert part["Content-Disposition"].params["filename"] == part["Content-Type"].params["name"] == name


def test_a_file_name_that_is_no_text() -> None:
    """As os.listdir gives them."""
    parsed = read_back(attachments=[Attachment("caf\udce9.txt", b"x")])
    assert next(parsed.iter_attachments()).get_filename() == "caf?.txt"


@pytest.mark.parametrize("name", ["a\nb", "a\0b", "a\u2028b", "a\x85b"])
def test_control_characters_are_refused(name: str) -> None:
    for encode in (encode_text, encode_phrase, lambda text: parameter("name", text)):
        with pytest.raises(InvalidHeader, match="control character"):
            encode(name)
    with pytest.raises(InvalidHeader, match="the header X-A holds"):
        header_field("X-A", name)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("X A", "x", "no header name"),
        ("X:A", "x", "no header name"),
        ("Ü", "x", "no header name"),
        ("X" * 77, "x", "at most 76"),
        ("X-A", "x" * 996, "too long for a line"),
        ("X-A", "ü" * 500, "too long for a line"),
    ],
)
def test_fields_refused(name: str, value: str, words: str) -> None:
    with pytest.raises(InvalidHeader, match=words):
        header_field(name, value)

# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Header text: encoded if needed, folded if long, and unchanged when read back."""

from __future__ import annotations

from email import message_from_bytes, policy

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ansible_collections.mailops.smtp.plugins.module_utils._message.addresses import Mailbox
from ansible_collections.mailops.smtp.plugins.module_utils._message.attachments import Attachment
from ansible_collections.mailops.smtp.plugins.module_utils._message.charsets import UTF_8, Charset
from ansible_collections.mailops.smtp.plugins.module_utils._message.errors import InvalidHeader
from ansible_collections.mailops.smtp.plugins.module_utils._message.headers import (
    encode_phrase,
    encode_text,
    header_field,
    parameter,
)
from ansible_collections.mailops.smtp.tests.unit.support.messages import (
    check_header_lines,
    check_lines,
    header_text,
    read_back,
    written,
)

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
def test_subject_reads_back_unchanged(subject: str) -> None:
    assert read_back(subject=subject)["Subject"] == subject


@given(header_text)
def test_any_subject_reads_back_unchanged(subject: str) -> None:
    field = header_field("Subject", encode_text(subject))
    check_lines(field)
    assert message_from_bytes(field + b"\r\n", policy=policy.default)["Subject"] == subject


@pytest.mark.parametrize(
    ("name", "value", "lines"),
    [
        ("X-A", "a" * 40 + " " + "b" * 40, ["X-A: " + "a" * 40, " " + "b" * 40]),
        ("X-A", "a" * 40 + "\t" + "b" * 40, ["X-A: " + "a" * 40, "\t" + "b" * 40]),
        ("X-A", "x" * 900, ["X-A: " + "x" * 900]),
        ("X-A", "x" * 997, ["X-A:", " " + "x" * 997]),
        ("X-A", "x" * 900 + " y z", ["X-A: " + "x" * 900, " y z"]),
        ("X" * 76, "a b", ["X" * 76 + ":", " a b"]),
        ("X" * 76, "", ["X" * 76 + ": "]),
        ("X" * 60, "a" * 20 + " b", ["X" * 60 + ":", " " + "a" * 20 + " b"]),
        ("X" * 60, "a" * 78, ["X" * 60 + ": " + "a" * 78]),
        ("Content-Type", "a/" + "b" * 70 + "; c=d", ["Content-Type:", " a/" + "b" * 70 + "; c=d"]),
        ("X-A", '{"a": "' + "b " * 20 + '", "c": "' + "d " * 20 + '"}', None),
        ("X-A", 'say "' + "b " * 20 + '" ' + "c " * 20 + '" unclosed', None),
    ],
)
def test_line_is_folded_at_white_space_only(name: str, value: str, lines: list[str] | None) -> None:
    field = header_field(name, value)
    check_header_lines(field)
    assert lines is None or field == "".join(f"{line}\r\n" for line in lines).encode()
    assert field.replace(b"\r\n", b"").decode() == f"{name}: {value}"


def test_string_in_quotes_is_folded_only_if_it_is_longer_than_a_line() -> None:
    field = header_field("Content-Disposition", "attachment" + parameter("filename", "a b c d e " * 5 + "f.txt"))
    assert field.count(b"\r\n") == 2
    assert b'\r\n filename="a b' in field
    field = header_field("To", '"' + "Doe, Jo " * 20 + '" <a@x.test>')
    check_header_lines(field)


NAMES = st.from_regex(r"X-[A-Za-z-]{0,74}", fullmatch=True)
CHARSETS = st.sampled_from(
    [UTF_8, Charset("utf-8", "utf-8"), Charset("iso-2022-jp", "iso2022_jp"), Charset("gb18030", "gb18030")]
)
#: Texts of many scripts: umlauts, CJK, emoji with joiners, combining marks, long words, runs of blanks, tabs.
SCRIPTS = st.lists(
    st.sampled_from(
        [
            "ü",
            "Grüße ",
            "部署完成",
            "👩\u200d💻",
            "e\u0301",
            "🇩🇪",
            "x" * 30,
            "y" * 500,
            " ",
            "   ",
            "\t",
            "plain words ",
        ]
    ),
    max_size=20,
).map("".join)


@given(NAMES, SCRIPTS | header_text)
@example("X-" + "a" * 58, "Grüße " * 30)
@example("X-" + "a" * 74, "ü")
@example("X-" + "a" * 40, "部" * 100)
def test_any_text_in_any_field_keeps_the_limits_and_reads_back(name: str, text: str) -> None:
    field = header_field(name, encode_text(text, UTF_8, name))
    check_lines(field + b"\r\n")
    read = message_from_bytes(field + b"\r\n", policy=policy.default)[name]
    # to this parser, white space behind a fold after the name is part of the value
    assert read == text or (field.startswith(f"{name}:\r\n".encode()) and read[1:] == text)


@pytest.mark.parametrize(
    "charset", [Charset("iso-8859-1", "iso8859-1"), Charset("iso-2022-jp", "iso2022_jp"), Charset("gb18030", "gb18030")]
)
def test_subject_in_any_charset_keeps_the_limits(charset: Charset) -> None:
    letters = "äöü" if charset.label == "iso-8859-1" else "日本語"
    for text in (letters * 100, f"{letters} plain " * 40, f"plain {letters}" * 30):
        field = header_field("Subject", encode_text(text, charset))
        check_header_lines(field)
        assert message_from_bytes(field + b"\r\n", policy=policy.default)["Subject"] == text


@given(NAMES, st.lists(st.tuples(SCRIPTS, st.integers(1, 60)), min_size=1, max_size=8))
def test_any_mailboxes_keep_the_limits(name: str, people: list[tuple[str, int]]) -> None:
    mailboxes = [Mailbox(person.strip(), "a" * length, "x" * length + ".test") for person, length in people]
    check_header_lines(header_field(name, ", ".join(mailbox.header() for mailbox in mailboxes)))
    found = read_back(cc=mailboxes)["Cc"].addresses
    assert ["".join(a.display_name.split()) for a in found] == ["".join(m.name.split()) for m in mailboxes]
    assert [a.addr_spec for a in found] == [m.address for m in mailboxes]


def test_subject_with_umlauts_begins_beside_its_name() -> None:
    """Its first line once had 84 characters."""
    content = written(subject="Größe und Länge der Rohre " * 12 + "x")
    first = content.partition(b"\r\nSubject: ")[2].partition(b"\r\n")[0]
    assert first.startswith(b"=?utf-8?")
    assert 60 < len(first) <= 76 - len("Subject: ")


@given(header_text)
def test_any_name_reads_back_unchanged(name: str) -> None:
    parsed = read_back(cc=[Mailbox(name, "a", "x.test"), Mailbox("", "b", "x.test")])
    # this parser folds white space in a name, and adds some between encoded words
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
def test_display_name_is_plain_quoted_or_encoded(text: str, encoded: str) -> None:
    assert encode_phrase(text) == encoded


@pytest.mark.parametrize(
    ("text", "encoded"),
    [
        ("plain, (text) <x>", "plain, (text) <x>"),
        ("Jürgen list <a.example.com>", "=?utf-8?Q?J=C3=BCrgen?= list <a.example.com>"),
        ("from Köln to Würzburg now", "from =?utf-8?B?S8O2bG4gdG8gV8O8cnpidXJn?= now"),
    ],
)
def test_only_the_words_that_need_it_are_encoded(text: str, encoded: str) -> None:
    assert encode_text(text) == encoded


def test_encoded_words_are_short_and_never_split_a_character() -> None:
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
def test_file_name_reads_back_unchanged(name: str) -> None:
    parsed = read_back(attachments=[Attachment(name, b"x")])
    assert next(parsed.iter_attachments()).get_filename() == name


@given(header_text.filter(lambda name: name == name.strip() != "" and "\t" not in name))
def test_any_file_name_reads_back_unchanged(name: str) -> None:
    part = next(read_back(attachments=[Attachment(name, b"x")]).iter_attachments())
    assert part["Content-Disposition"].params["filename"] == part["Content-Type"].params["name"] == name


def test_file_name_that_is_not_text_has_a_replacement_character() -> None:
    """os.listdir returns such names."""
    parsed = read_back(attachments=[Attachment("caf\udce9.txt", b"x")])
    assert next(parsed.iter_attachments()).get_filename() == "caf?.txt"


@pytest.mark.parametrize("name", ["a\nb", "a\0b", "a\u2028b", "a\x85b"])
def test_control_characters_are_refused(name: str) -> None:
    for encode in (encode_text, encode_phrase, lambda text: parameter("name", text)):
        with pytest.raises(InvalidHeader, match="control character"):
            encode(name)
    with pytest.raises(InvalidHeader, match="the header X-A contains"):
        header_field("X-A", name)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("X A", "x", "is not a valid header name"),
        ("X:A", "x", "is not a valid header name"),
        ("Ü", "x", "is not a valid header name"),
        ("X" * 77, "x", "at most 76 characters"),
        ("X-A", "x" * 998, "line of 999 octets, which is too long for a line"),
        ("X-A", "a b " + "x" * 998, "Shorten the word, or insert white space"),
        ("X-A", "ü" * 500, "too long for a line"),
    ],
)
def test_invalid_field_is_refused(name: str, value: str, words: str) -> None:
    with pytest.raises(InvalidHeader, match=words):
        header_field(name, value)

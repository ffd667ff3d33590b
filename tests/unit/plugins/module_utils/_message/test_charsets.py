# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Charsets of a message: text in them, and the errors for those that cannot represent it."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.mailops.smtp.plugins.module_utils._message.addresses import Mailbox
from ansible_collections.mailops.smtp.plugins.module_utils._message.errors import InvalidMessage
from ansible_collections.mailops.smtp.tests.unit.support.messages import RECIPIENT, parse, text_of, written

CHARSETS = [
    ("iso-8859-1", "Grüße", "iso-8859-1"),
    ("latin1", "Grüße", "iso-8859-1"),
    ("cp1252", "10 €", "windows-1252"),
    ("gb18030", "部署完成 🎉", "gb18030"),
    ("iso-2022-jp", "日本語のテスト" * 20, "iso-2022-jp"),
    ("shift_jis", "日本語", "shift_jis"),
    ("us-ascii", "plain", "us-ascii"),
    ("UTF8", "ü", "utf-8"),
]


@pytest.mark.parametrize(("charset", "text", "label"), CHARSETS)
def test_text_subject_and_name_are_in_the_charset(charset: str, text: str, label: str) -> None:
    content = written(charset=charset, body=text, subject=text, sender=Mailbox(text, "a", "a.test"))
    parsed = parse(content)
    assert parsed.get_content_charset() == label
    assert text_of(parsed) == text + "\n"
    assert parsed["Subject"] == text
    assert parsed["From"].addresses[0].display_name.replace(" ", "") == text.replace(" ", "")  # this parser adds spaces
    assert text.isascii() or f"=?{label}?".encode() in content


@pytest.mark.parametrize(
    ("charset", "changes", "words"),
    [
        (
            "iso-8859-1",
            {"body": "10 €"},
            "the body contains '€', which charset iso-8859-1 cannot represent; set charset to utf-8",
        ),
        ("us-ascii", {"html": "ü"}, "the html contains 'ü'"),
        ("us-ascii", {"subject": "ü"}, "header text 'ü' contains 'ü'"),
        ("utf-16", {}, "charset: utf-16 cannot be used for mail"),
        ("utf-7", {}, "charset: utf-7 cannot be used for mail"),
        ("klingon", {}, "charset: 'klingon' is not a known charset"),
        ("a\0b", {}, "is not a known charset"),
        ("base64", {}, "is not a known charset"),
        ("utf-8", {"body": "a\udc80"}, r"the body is not valid text: it contains '\\udc80'"),
    ],
)
def test_unusable_charset_is_refused(charset: str, changes: dict[str, t.Any], words: str) -> None:
    with pytest.raises(InvalidMessage, match=words):
        written(charset=charset, **{"sender": RECIPIENT, **changes})

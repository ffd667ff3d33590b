# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Defects in the messages of community.general.mail, which must not occur here.

Reports are on GitHub: ``ansible#`` is ansible/ansible, ``community.general#`` ansible-collections/community.general. A
test without a report covers a defect that was seen in that module and never reported.
"""

from __future__ import annotations

import pytest

from ansible_collections.mailops.smtp.plugins.module_utils._message.addresses import parse_mailbox, parse_mailboxes
from ansible_collections.mailops.smtp.plugins.module_utils._message.attachments import Attachment
from ansible_collections.mailops.smtp.plugins.module_utils._message.errors import (
    InvalidAddress,
    InvalidHeader,
    InvalidMessage,
)
from ansible_collections.mailops.smtp.tests.unit.support.messages import (
    RECIPIENT,
    composed,
    read_back,
    shape,
    text_of,
    written,
)


def test_name_with_a_comma_loses_no_recipient() -> None:
    with pytest.raises(
        InvalidAddress, match='put a name that contains a comma in quotes: "Doe, John" <jd@example.org>'
    ):
        parse_mailboxes("Doe, John <jd@example.org>")
    mailboxes = parse_mailboxes('"Doe, John" <jd@example.org>')
    assert composed(to=mailboxes).recipients == ("jd@example.org",)
    assert read_back(to=mailboxes)["To"] == '"Doe, John" <jd@example.org>'


def test_content_type_of_a_multipart_has_only_the_boundary() -> None:
    parsed = read_back(attachments=[Attachment("a", b"")])
    assert set(parsed["Content-Type"].params) == {"boundary"}


def test_message_without_cc_has_no_cc_header() -> None:
    assert read_back()["Cc"] is None


def test_ascii_message_is_one_part_without_encoding() -> None:
    content = written(sender=RECIPIENT, subject="hello", body="text")
    assert b"Subject: hello\r\n" in content
    assert b"Content-Type: text/plain; charset=us-ascii\r\nContent-Transfer-Encoding: 7bit\r\n\r\ntext\r\n" in content
    assert b"multipart" not in content.lower()


def test_inline_images_are_related_and_keep_their_type() -> None:
    image = Attachment("logo.svg", b"<svg/>", "image/svg+xml", content_id="logo")
    assert shape(read_back(html="<img src='cid:logo' alt='Logo'>", attachments=[image])) == [
        "multipart/alternative",
        "text/plain",
        ["multipart/related", "text/html", "image/svg+xml"],
    ]


def test_addresses_may_be_in_any_script() -> None:
    people = parse_mailboxes("用户@例子.example, info@bücher.example")
    result = composed(to=people)
    assert result.recipients == ("用户@xn--fsqu00a.example", "info@xn--bcher-kva.example")
    assert result.needs_smtputf8


def test_header_that_the_module_writes_is_refused_in_headers() -> None:
    with pytest.raises(InvalidMessage, match="headers: From is written by this module"):
        written(headers={"From": "x@y.test"})


def test_long_line_in_us_ascii_is_encoded() -> None:
    parsed = read_back(charset="us-ascii", sender=RECIPIENT, body="x" * 1500)
    assert text_of(parsed) == "x" * 1500 + "\n"


def test_line_break_in_a_header_is_refused() -> None:
    with pytest.raises(InvalidHeader, match="line break"):
        written(headers={"X-A": "a\nb"})


def test_subject_is_encoded() -> None:
    """ansible#29085."""
    assert b"Subject: =?utf-8?B?w7xiZXI=?=\r\n" in written(subject="über")


def test_character_that_us_ascii_cannot_represent_is_named() -> None:
    """ansible#30631, ansible#31649: a traceback."""
    with pytest.raises(InvalidMessage, match="the body contains 'ü', which charset us-ascii cannot represent"):
        written(charset="us-ascii", sender=RECIPIENT, body="ü")


def test_message_id_is_in_the_domain_of_message_id_domain() -> None:
    """community.general#5921 (Message-ID), community.general#7765 (its domain)."""
    assert read_back(message_id_domain="ansible")["Message-ID"].endswith("@ansible>")


def test_null_sender_and_local_names_are_accepted() -> None:
    root = parse_mailbox("root")
    result = composed(sender=root, to=[root], envelope_sender="<>")
    assert (result.sender, result.recipients) == ("", ("root",))
    assert b"From: root\r\nTo: root\r\n" in result.content

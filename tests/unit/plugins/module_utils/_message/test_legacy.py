# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What community.general.mail takes, and the defects in its messages that must not come back.

Reports are on GitHub: ``ansible#`` is ansible/ansible, ``community.general#`` ansible-collections/community.general. A
test without one holds for a defect that was seen in that module and never reported.
"""

from __future__ import annotations

import pytest

from ansible_collections.mailops.smtp.plugins.module_utils._message.addresses import parse_mailbox, parse_mailboxes
from ansible_collections.mailops.smtp.plugins.module_utils._message.errors import (
    InvalidAddress,
    InvalidHeader,
    InvalidMessage,
)
from ansible_collections.mailops.smtp.plugins.module_utils._message.legacy import (
    parse_attach,
    parse_header_strings,
    texts,
)
from ansible_collections.mailops.smtp.plugins.module_utils._message.mime import Attachment
from ansible_collections.mailops.smtp.tests.unit.support.messages import (
    RECIPIENT,
    composed,
    read_back,
    shape,
    text_of,
    written,
)


@pytest.mark.parametrize(
    ("strings", "headers"),
    [
        ([], {}),
        (["Reply-To=john@example.com"], {"Reply-To": "john@example.com"}),
        (['X-Special="Something or other"'], {"X-Special": '"Something or other"'}),
        (["X-Query=a=1&b=2"], {"X-Query": "a=1&b=2"}),
        (["X-A = b "], {"X-A": "b"}),
        (["X-A="], {"X-A": ""}),
        (["X-A=1", "x-a=2", "X-A=3"], {"X-A": ["1", "2", "3"]}),
        ("Reply-To=a@b.test|X-Other=1", {"Reply-To": "a@b.test", "X-Other": "1"}),
        (["X-A=b|c"], {"X-A": "b|c"}),
        (["X-A=b|c=d"], {"X-A": "b|c=d"}),
        (["List-Unsubscribe=<mailto:a@b?x=1|2=3>"], {"List-Unsubscribe": "<mailto:a@b?x=1|2=3>"}),
        (["List-Unsubscribe=<https://b/?q|X-Y=1>"], {"List-Unsubscribe": "<https://b/?q|X-Y=1>"}),
    ],
)
def test_header_strings(strings: str | list[str], headers: dict[str, str | list[str]]) -> None:
    """community.general#7303; and a bar within a value does not cut it."""
    assert parse_header_strings(strings) == headers


def test_a_header_string_without_an_equals_sign() -> None:
    with pytest.raises(InvalidHeader, match="Reply-To=jo@example.com"):
        parse_header_strings(["X-A: b"])


@pytest.mark.parametrize(
    ("value", "paths"),
    [
        ("/etc/group", ["/etc/group"]),
        ("/etc/group,/srv/with space.txt , ", ["/etc/group", "/srv/with space.txt"]),
        (["/etc/group", "", "/srv/a,b"], ["/etc/group", "/srv/a,b"]),
        ("", []),
    ],
)
def test_attach(value: str | list[str], paths: list[str]) -> None:
    assert parse_attach(value) == paths


def test_texts() -> None:
    assert texts("s", None, "plain") == ("s", None)
    assert texts("s", "b", "plain") == ("b", None)
    assert texts("s", "<p>", "html") == (None, "<p>")


def test_name_with_a_comma_loses_no_recipient() -> None:
    with pytest.raises(InvalidAddress, match='put a name that holds a comma in quotes: "Doe, John" <jd@example.org>'):
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
    with pytest.raises(InvalidMessage, match="the header From is written by this module"):
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


def test_character_that_us_ascii_lacks_is_named() -> None:
    """ansible#30631, ansible#31649: a traceback."""
    with pytest.raises(InvalidMessage, match="the body holds 'ü', which charset us-ascii lacks"):
        written(charset="us-ascii", sender=RECIPIENT, body="ü")


def test_message_id_is_in_the_domain_of_message_id_domain() -> None:
    """community.general#5921 (Message-ID), community.general#7765 (its domain)."""
    assert read_back(message_id_domain="ansible")["Message-ID"].endswith("@ansible>")


def test_null_sender_and_local_names_are_accepted() -> None:
    root = parse_mailbox("root")
    result = composed(sender=root, to=[root], envelope_sender="<>")
    assert (result.sender, result.recipients) == ("", ("root",))
    assert b"From: root\r\nTo: root\r\n" in result.content

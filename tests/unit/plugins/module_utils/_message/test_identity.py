# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Message-IDs and dates: any text is parsed or refused."""

from __future__ import annotations

import re
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.mailops.smtp.plugins.module_utils._message.errors import InvalidMessage
from ansible_collections.mailops.smtp.plugins.module_utils._message.identity import (
    new_message_id,
    parse_date,
    parse_message_id,
    parse_message_ids,
    stable_message_id,
)
from ansible_collections.mailops.smtp.tests.unit.support.messages import read_back

#: Lists of Message-IDs, with or without angle brackets, among other characters.
IDS = st.lists(
    st.sampled_from(["<a@b.test>", "a@b.test", "<", ">", ",", " ", "\r\n ", "\0", "<c@d.test><e@f.test>", "ü"])
    | st.text(max_size=4),
    max_size=8,
).map("".join)
DATES = st.text(max_size=40) | st.from_regex(
    r"[0-9]{1,5}-[0-9]{2}-[0-9]{2}(T[0-9]{2}:[0-9]{2}:[0-9]{2}(Z|[+-][0-9]{2}:[0-9]{2})?)?", fullmatch=True
)
DATES |= st.from_regex(
    r"(Sat, )?[0-9]{1,3} (Nov|Feb|Xyz) [0-9]{1,5} [0-9]{2}:[0-9]{2}(:[0-9]{2})?( [+-][0-9]{4,6}| GMT)?"
)


@given(IDS)
def test_any_text_is_parsed_as_ids_or_refused(text: str) -> None:
    try:
        found = parse_message_ids(text)
    except InvalidMessage:
        return
    assert all(re.fullmatch(r"<[!-;=?-~]+>", one) for one in found)
    assert parse_message_ids(" ".join(found)) == found
    assert [parse_message_id(one) for one in found] == found


@given(st.text(max_size=30))
def test_same_key_gives_the_same_id(key: str) -> None:
    made = stable_message_id(key, "a.test")
    assert made == stable_message_id(key, "a.test") == parse_message_id(made)
    assert made != stable_message_id(f"{key}.", "a.test")


def test_new_ids_are_unique() -> None:
    assert len({new_message_id("a.test") for _one in range(100)}) == 100


@given(DATES)
def test_any_text_is_parsed_as_a_date_or_refused(text: str) -> None:
    try:
        date = parse_date(text)
    except InvalidMessage:
        return
    assert isinstance(read_back(date=date)["Date"].datetime, datetime)


@pytest.mark.parametrize(
    "text",
    ["0001-01-01T00:00:00", "9999-12-31T23:59:59-12:00", "1 Jan 1900 00:00:00 +0000", "31 Dec 9999 23:59:59 GMT"],
)
def test_date_out_of_range_is_refused(text: str) -> None:
    """RFC 5322 section 3.3 starts with 1900, and no library can write a year after 9999."""
    with pytest.raises(InvalidMessage, match="after 1900 and before 9999"):
        parse_date(text)


def test_stable_ids_hide_their_key() -> None:
    identifier = stable_message_id("secret\udc80 key", "bücher.example")
    assert identifier.endswith("@xn--bcher-kva.example>")
    assert "secret" not in identifier
    assert parse_message_ids([identifier, identifier]) == [identifier]


@pytest.mark.parametrize(
    "text", ["2026-11-21T10:00:00+01:00", "2026-11-21T09:00:00Z", "Sat, 21 Nov 2026 10:00:00 +0100"]
)
def test_date_in_iso_8601_or_header_form(text: str) -> None:
    assert parse_date(text).timestamp() == 1795251600
    assert read_back(date=parse_date(text))["Date"].datetime.timestamp() == 1795251600


@pytest.mark.parametrize("text", ["", "tomorrow", "2026-13-01"])
def test_invalid_date_is_refused(text: str) -> None:
    with pytest.raises(InvalidMessage, match="^date: .* is not a valid date"):
        parse_date(text)

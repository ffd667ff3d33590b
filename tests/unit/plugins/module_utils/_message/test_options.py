# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Forms of option values that community.general.mail accepts."""

from __future__ import annotations

import time
import typing as t

import pytest

from ansible_collections.mailops.smtp.plugins.module_utils._message.errors import InvalidHeader
from ansible_collections.mailops.smtp.plugins.module_utils._message.forms import Shape
from ansible_collections.mailops.smtp.plugins.module_utils._message.options import (
    HEADERS,
    URIS,
    parse_attach,
    parse_headers,
    texts,
)


@pytest.mark.parametrize(
    ("value", "headers"),
    [
        ([], {}),
        (["Reply-To=john@example.com"], {"Reply-To": "john@example.com"}),
        (['X-Special="Something or other"'], {"X-Special": '"Something or other"'}),
        (["X-Query=a=1&b=2"], {"X-Query": "a=1&b=2"}),
        (["X-A = b "], {"X-A": "b"}),
        (["X-A="], {}),
        (["X-A=1", "x-a=2", "X-A=3"], {"X-A": ["1", "2", "3"]}),
        ("Reply-To=a@b.test|X-Other=1", {"Reply-To": "a@b.test", "X-Other": "1"}),
        (["X-A=b|c"], {"X-A": "b|c"}),
        (["X-A=b|c=d"], {"X-A": "b|c=d"}),
        (["List-Unsubscribe=<mailto:a@b?x=1|2=3>"], {"List-Unsubscribe": "<mailto:a@b?x=1|2=3>"}),
        (["List-Unsubscribe=<https://b/?q|X-Y=1>"], {"List-Unsubscribe": "<https://b/?q|X-Y=1>"}),
        (["X-A: b"], {"X-A": "b"}),
        ("X-A: b=c", {"X-A": "b=c"}),
        (["X-A=b: c"], {"X-A": "b: c"}),
        (["List-Unsubscribe: <https://b/?q=1>"], {"List-Unsubscribe": "<https://b/?q=1>"}),
        ([{"X-A": "b"}, {"X-C": "d", "x-a": 5}], {"X-A": ["b", "5"], "X-C": "d"}),
        ([{"name": "X-A", "value": "b"}, {"key": "X-C", "value": ["d"]}], {"X-A": "b", "X-C": "d"}),
        ({"name": "X-A", "value": "b"}, {"X-A": "b"}),
        ({"key": "X-A", "value": None}, {}),
        ("x-a=b|x-b=c", {"x-a": "b", "x-b": "c"}),
        ("Reply-To=a@b.test|Precedence=bulk", {"Reply-To": "a@b.test", "Precedence": "bulk"}),
        ("X-A: b|X-B: c", {"X-A": "b", "X-B": "c"}),
        ("X-A=b|c", {"X-A": "b|c"}),
        (
            ["x-a=b|x-b=c", "Precedence=bulk|Comments=d"],
            {"x-a": "b", "x-b": "c", "Precedence": "bulk", "Comments": "d"},
        ),
        ('X-A="b, X-B=c"', {"X-A": '"b, X-B=c"'}),
        (
            "List-Unsubscribe=<mailto:a@b?x=1,y=2>, <https://b/?c=1>",
            {"List-Unsubscribe": "<mailto:a@b?x=1,y=2>, <https://b/?c=1>"},
        ),
        ({"X-A": None, "X-B": "", "X-C": [], "X-D": [None, "", "d"], "X-E": "\n"}, {"X-D": "d"}),
        ([None, {"X-A": None}], {}),
        ({"X-A": "folded \n", "X-B": ["a\n", " b"]}, {"X-A": "folded", "X-B": ["a", "b"]}),
        ({"X-A": 5, "X-B": 1.5, "X-C": True}, {"X-A": "5", "X-B": "1.5", "X-C": "True"}),
    ],
)
def test_headers_are_read_from_mappings_and_strings(value: t.Any, headers: dict[str, str | list[str]]) -> None:
    """ansible-collections/community.general#7303. A bar within a value does not end it."""
    assert parse_headers(value) == headers
    assert parse_headers(headers) == headers


NOT_HEADERS: list[t.Any] = [["X-A"], "no header", ["X A: b"], [": b"], {"X A": "b"}, {"": "b"}, {"X:": "b"}]
NOT_HEADERS += [{name: "b"} for name in ('{"X-A"', "{X-A", '"X-A"', "'X-A'", "X-A,X-B", "[X-A", "<X-A>", "X;A")]
NOT_HEADERS += [{"name": "X-A", "value": "b", "X-C": "d"}, [{"Name": "X-A"}], ['"X-A"=b'], "'X-A': b"]


@pytest.mark.parametrize(
    "value", ["X-A=b,X-B=c", "x-a=b, x-b=c", "X-A=b;X-B=c", "X-A=b X-B=c", "X-A: b, X-B: c", "X-A=b,c=d"]
)
@pytest.mark.parametrize("listed", [True, False])
def test_text_that_may_be_several_headers_is_refused(value: str, listed: bool) -> None:
    with pytest.raises(InvalidHeader, match="^headers: '.*' may be one header or several; write a list or a mapping"):
        parse_headers([value] if listed else value)


@pytest.mark.parametrize("value", NOT_HEADERS)
def test_text_that_is_not_a_header_is_refused(value: t.Any) -> None:
    with pytest.raises(InvalidHeader, match="^headers: .* is not a valid header.*; expected"):
        parse_headers(value)


@pytest.mark.parametrize(
    ("value", "paths"),
    [
        ("/etc/group", ["/etc/group"]),
        ("/etc/group,/srv/with space.txt , ", ["/etc/group", "/srv/with space.txt"]),
        (["/etc/group", "", "/srv/a,b"], ["/etc/group", "/srv/a,b"]),
        ("", []),
    ],
)
def test_attach_is_a_list_or_a_string_with_commas(value: str | list[str], paths: list[str]) -> None:
    assert parse_attach(value) == paths


def test_body_is_text_or_html_by_subtype() -> None:
    assert texts("s", None, "plain") == ("s", None)
    assert texts("s", "b", "plain") == ("b", None)
    assert texts("s", "<p>", "html") == (None, "<p>")


@pytest.mark.parametrize(
    ("shape", "text"),
    [
        (HEADERS, "X-A=b" + " " * 50_000 + "x"),
        (HEADERS, ["X-A=b" + " " * 50_000 + "x"]),
        (HEADERS, ["X-A=b" + ", " * 50_000 + "x"]),
        (URIS, "mailto:a@b.test" + ", " * 50_000 + "x"),
    ],
)
def test_separators_without_anything_between_take_linear_time(shape: Shape, text: t.Any) -> None:
    start = time.process_time()
    shape.read(text, "option")
    assert time.process_time() - start < 10

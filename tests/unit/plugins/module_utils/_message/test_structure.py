# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The nesting of parts, their content IDs and boundaries."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.mailops.smtp.plugins.module_utils._message.attachments import (
    Attachment,
    Invitation,
    from_content,
)
from ansible_collections.mailops.smtp.plugins.module_utils._message.errors import (
    InvalidMessage,
)
from ansible_collections.mailops.smtp.tests.unit.support.messages import (
    parse,
    read_back,
    shape,
    text_of,
    with_line_ends,
    written,
)

LOGO = from_content(b"\x89PNG" + bytes(range(256)), "logo.png", content_id="logo")
SVG = Attachment("", b"<svg/>", "image/svg+xml", content_id="<chart.1@example.com>")
LOG = from_content(b"a\nb\n", "build.log")
ICS = "BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nBEGIN:VEVENT\r\nSUMMARY:Übung\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
EVENT = Invitation(ICS)
HTML = "<p>text <img src='cid:logo'></p>"
PICTURE = "<p><img src='cid:logo'></p>"  # no text can be derived from it

TEXTS = ["multipart/alternative", "text/plain", "text/html"]
SHOWN = ["multipart/related", "text/html", "image/png"]
SHAPES: list[tuple[dict[str, t.Any], t.Any]] = [
    ({}, "text/plain"),
    ({"body": None}, "text/plain"),
    ({"body": None, "html": HTML}, TEXTS),
    ({"body": None, "html": PICTURE}, "text/html"),
    ({"html": HTML}, TEXTS),
    ({"attachments": [LOG]}, ["multipart/mixed", "text/plain", "text/plain"]),
    ({"html": HTML, "attachments": [LOGO]}, ["multipart/alternative", "text/plain", SHOWN]),
    (
        {"html": HTML, "attachments": [LOG, LOGO, SVG]},
        ["multipart/mixed", ["multipart/alternative", "text/plain", [*SHOWN, "image/svg+xml"]], "text/plain"],
    ),
    ({"body": None, "html": PICTURE, "attachments": [LOGO]}, SHOWN),
    ({"attachments": [LOGO]}, ["multipart/mixed", "text/plain", "image/png"]),
    ({"invitation": EVENT}, ["multipart/alternative", "text/plain", "text/calendar"]),
    ({"body": None, "invitation": EVENT}, "text/calendar"),
    (
        {"html": HTML, "attachments": [LOGO, LOG], "invitation": EVENT},
        ["multipart/mixed", ["multipart/alternative", "text/plain", SHOWN, "text/calendar"], "text/plain"],
    ),
]


@pytest.mark.parametrize(("changes", "expected"), SHAPES)
def test_parts_nest_by_kind(changes: dict[str, t.Any], expected: t.Any) -> None:
    assert shape(read_back(**changes)) == expected


def test_related_images_have_content_ids() -> None:
    """RFC 2387 section 3.1: the type of the root is named. RFC 2392: a content ID has angle brackets."""
    parsed = read_back(body=None, html=PICTURE, attachments=[LOGO, SVG])
    assert parsed["Content-Type"].params["type"] == "text/html"
    html, logo, chart = parsed.iter_parts()
    assert [part["Content-ID"] for part in (logo, chart)] == ["<logo>", "<chart.1@example.com>"]
    assert [part.get_content_disposition() for part in (html, logo, chart)] == [None, "inline", "inline"]
    assert [part.get_filename() for part in (logo, chart)] == ["logo.png", None]
    assert logo.get_content() == LOGO.content


def test_two_attachments_with_the_same_content_id_are_refused() -> None:
    with pytest.raises(InvalidMessage, match="two attachments have the content ID 'logo'"):
        written(attachments=[LOGO, LOGO])


def test_parts_do_not_share_a_boundary() -> None:
    content = written(html=HTML, attachments=[LOGO, LOG])
    assert content.count(b"boundary=") == 3
    assert len({line for line in content.split(b"\r\n") if line.startswith(b"--=_") and line.endswith(b"--")}) == 3
    html = parse(content).get_body(("html",))
    assert html is not None
    assert text_of(html) == with_line_ends(HTML)

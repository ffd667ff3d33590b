# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The text derived from HTML."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.mailops.smtp.plugins.module_utils._message.html_text import html_to_text
from ansible_collections.mailops.smtp.tests.unit.support.messages import read_back, text_of

CASES = [
    ("", ""),
    ("plain < text & more", "plain < text & more\n"),
    (
        "<p>Hello&nbsp;<b>you</b> &amp; me</p>\n  <p>Two<br>lines<br><br>gap</p>",
        "Hello you & me\n\nTwo\nlines\n\ngap\n",
    ),
    ("<h1>Head</h1>body<hr>foot", f"Head\n\nbody\n\n{'-' * 40}\n\nfoot\n"),
    ("<div><div>a</div><div> b\n  c </div></div>", "a\nb c\n"),
    ("<title>T</title><style>p{}</style><script>1<2</script>x<template>y</template>", "x\n"),
    ("x<!-- comment --><script>never closed <p>y", "x\n"),
    ("<p>soft&shy;hyphen zero&#8203;width &#x1F389; &euro;", "softhyphen zerowidth 🎉 €\n"),
    ("<a href='https://x.test/?a=1&amp;b=2'>click <b>here</b></a>.", "click here <https://x.test/?a=1&b=2>.\n"),
    ("<a href='https://x.test/'>https://x.test</a> <a href='mailto:a@b'>a@b</a>", "https://x.test a@b\n"),
    ("<a href='#top'>up</a> <a href='javascript:x()'>run</a> <a>none</a>", "up run none\n"),
    ("<a href='x'><img src=l alt='Logo'></a> <a href=https://y.test><img></a>", "Logo <x> <https://y.test>\n"),
    ("<a href=x>one<a href=y>two</a></a>", "one <x>two <y>\n"),
    (
        "<ul><li>a<li>b<ul><li>b1</li></ul></li><li>c</ul><ol><li>x<li>y</ol>z",
        "- a\n- b\n  - b1\n- c\n\n1. x\n2. y\n\nz\n",
    ),
    ("<ul><li>two<br>lines</li></ul>", "- two\n  lines\n"),
    ("<li>stray</ul></ol>end", "- stray\n\nend\n"),
    (
        "<table><tr><th>Host<th>State</tr><tr><td>a<td>up</tr><tr><td></td><td>3</td></tr></table>x",
        "Host | State\na | up\n3\n\nx\n",
    ),
    ("<table><tr><td><p>in</p></td></tr><tr><td>next</td></tr></table>", "in\n\nnext\n"),
    ("<blockquote><p>one</p><p>two</p></blockquote>after</blockquote>", "> one\n>\n> two\n\nafter\n"),
    ("<pre>  a\n    b\n\nc</pre>z", "  a\n    b\n\nc\n\nz\n"),
    ("<img alt='Only this'/><br/>", "Only this\n"),
]


@pytest.mark.parametrize(("html", "text"), CASES)
def test_text_of_html(html: str, text: str) -> None:
    assert html_to_text(html) == text


@pytest.mark.parametrize(("html", "text"), CASES)
def test_derived_text_is_in_the_message(html: str, text: str) -> None:
    parsed = read_back(body=None, html=html)
    plain = parsed.get_body(("plain",))
    assert (text_of(plain) if plain else "") == text


TAGS = ["p", "a href='x'", "ul", "ol", "li", "table", "tr", "td", "pre", "blockquote", "br", "hr", "b", "script", "!--"]
PIECES = st.sampled_from(
    [f"<{tag}>" for tag in TAGS] + [f"</{tag.split()[0]}>" for tag in TAGS] + ["\n", " ", "&lt;b>"]
)


@given(st.lists(PIECES | st.text(max_size=20), max_size=60).map("".join))
def test_any_html_gives_tidy_text(html: str) -> None:
    text = html_to_text(html)
    assert text == "" or text.endswith("\n")
    assert "\n\n\n" not in text
    assert not any(line != line.rstrip(" ") for line in text.split("\n") if "\u00a0" not in html)


@given(st.lists(st.from_regex(r"[a-z]{1,8}", fullmatch=True), max_size=20))
def test_no_word_is_lost(words: list[str]) -> None:
    html = "".join(
        f"<{tag}>{word}</{tag}> " for tag, word in zip(["p", "b", "li", "td", "h2"] * 4, words, strict=False)
    )
    assert [word for word in html_to_text(html).split() if word not in "-|"] == words


def test_large_document_takes_linear_time() -> None:
    start = time.perf_counter()
    html_to_text("<div><p>word</p>" * 20_000)
    assert time.perf_counter() - start < 20


@pytest.mark.parametrize("tags", ["<ul><li>x", "<blockquote>x"])
def test_deep_nesting_does_not_inflate_the_text(tags: str) -> None:
    assert len(html_to_text(tags * 2000)) < 2000 * 80

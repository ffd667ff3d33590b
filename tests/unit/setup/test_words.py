# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lint of phrases finds what should not return, and leaves plain English alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.mailops.smtp.tests.setup import words

FOUND = [
    "'x' is no fully qualified name",
    "those are no addresses",
    "Nobody is refused",
    "# somebody edited the file",
    "for whoever may send",
    "this does not belong into the log",
    "the host does without sha1",
    "'x' is none of y, n and a number",
    "a phrase that is\n    # no phrase",
    "over two lines it is\nno better",
]
PLAIN = [
    "'x' is not a valid address",
    "there is no route to the host",
    "There are no rows",
    "the file is no longer declared",
    "the list is no longer than a line",
    "wherever there is no TLS",
]


@pytest.mark.parametrize("text", FOUND)
def test_a_phrase_is_found(text: str) -> None:
    assert [line for line, _words, _phrase in words.findings(text)] == [1]


@pytest.mark.parametrize("text", PLAIN)
def test_plain_english_is_left_alone(text: str) -> None:
    assert list(words.findings(text)) == []


def test_a_finding_names_file_and_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = tmp_path / "page.md"
    page.write_text("one\ntwo\nnobody knows\n", encoding="utf-8")
    assert words.main([str(page)]) == 1
    assert capsys.readouterr().out.startswith(f"{page}:3: 'nobody': write ")
    page.write_text("no client knows\n", encoding="utf-8")
    assert words.main([str(page)]) == 0

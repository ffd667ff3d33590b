# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SASLprep with the examples of RFC 4013 section 3, among others."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.mailops.smtp.plugins.module_utils._sasl.saslprep import NotPreparable, saslprep

GOOD = [
    ("I\u00adX", "IX"),  # soft hyphen mapped to nothing
    ("user", "user"),
    ("USER", "USER"),  # case kept
    ("\u00aa", "a"),  # NFKC
    ("\u2168", "IX"),  # NFKC
    ("a\u00a0b", "a b"),  # no-break space mapped to a space
    ("pässwörd", "pässwörd"),
    ("ﬁ", "fi"),
    ("\u0627\u0628\u0629", "\u0627\u0628\u0629"),  # right to left throughout
    ("\U0001f511", "\U0001f511"),  # newer than Unicode 3.2
    ("", ""),
]
BAD = ["\x07", "\u0627\u0031", "a\u0627", "\ue000", "\u200e", "\ufffd", "\ud800", "\U000e0001"]


@pytest.mark.parametrize(("text", "prepared"), GOOD)
def test_text_is_prepared(text: str, prepared: str) -> None:
    assert saslprep(text) == prepared


@pytest.mark.parametrize("text", BAD)
def test_prohibited_text_is_refused_and_not_shown(text: str) -> None:
    with pytest.raises(NotPreparable) as caught:
        saslprep(text)
    assert text not in str(caught.value)


@settings(deadline=None)  # a busy machine must not fail the test
@given(st.text(max_size=30))
def test_any_text_is_prepared_or_refused(text: str) -> None:
    try:
        prepared = saslprep(text)
    except NotPreparable:
        return
    assert "\0" not in prepared


@settings(deadline=None)  # a busy machine must not fail the test
@given(st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E)))
def test_printable_ascii_is_unchanged(text: str) -> None:
    assert saslprep(text) == text

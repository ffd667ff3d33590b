# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Transfer encodings and line ends: the standard library decodes them to the original."""

from __future__ import annotations

import base64
import quopri

from hypothesis import example, given
from hypothesis import strategies as st

from ansible_collections.mailops.smtp.plugins.module_utils._message.mime import (
    Encoded,
    encode_base64,
    encode_text_body,
    with_crlf,
)

#: All kinds of line ends, long lines, and characters that quoted-printable encodes.
TEXT = st.lists(
    st.sampled_from(
        ["\r", "\n", "\r\n", "a", "=", "=3D", " ", "\t", ".", "From ", "ü", "日", "\0", "x" * 75, "y" * 999]
    )
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=10),
    max_size=30,
).map("".join)

LIMITS = {"7bit": 998, "quoted-printable": 76, "base64": 76}


def decoded(encoded: Encoded) -> bytes:
    if encoded.encoding == "base64":
        return base64.b64decode(encoded.body)
    return quopri.decodestring(encoded.body) if encoded.encoding == "quoted-printable" else encoded.body


def check_lines(encoded: Encoded) -> None:
    lines = encoded.body.split(b"\r\n")
    assert max(map(len, lines)) <= LIMITS[encoded.encoding]
    assert not any(octet in line for line in lines for octet in (b"\r", b"\n"))
    assert encoded.body.isascii()


@given(TEXT)
@example("y" * 62 + "üü\t")
@example("x" * 999 + "\n" + "yz " * 5000 + "\n.")
def test_any_text_decodes_to_the_original(text: str) -> None:
    content = with_crlf(text).encode()
    encoded = encode_text_body(content)
    check_lines(encoded)
    assert decoded(encoded) == content
    assert b"\0" not in encoded.body


@given(st.binary(max_size=500))
def test_any_octets_decode_to_the_original(content: bytes) -> None:
    encoded = encode_base64(content)
    check_lines(encoded)
    assert decoded(encoded) == content


@given(TEXT)
def test_every_line_ends_with_crlf(text: str) -> None:
    """RFC 5322 section 2.3: CR and LF occur only together. The number of lines stays the same."""
    written = with_crlf(text)
    assert not set(written.replace("\r\n", "")) & {"\r", "\n"}
    assert with_crlf(written) == written
    assert written == "" or written.endswith("\r\n")
    assert written.replace("\r\n", "\n").rstrip("\n") == text.replace("\r\n", "\n").replace("\r", "\n").rstrip("\n")

# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Character sets for mail text, under their MIME names (RFC 2046 section 4.1.2).

UTF-8 can represent every character; other charsets are for readers that need them.
"""

from __future__ import annotations

import codecs
import functools
import re
import typing as t

from .errors import InvalidMessage

#: Every charset for mail encodes ASCII as ASCII, line ends and header syntax included. UTF-16, UTF-7 and HZ do not.
_ASCII = "".join(map(chr, range(0x20, 0x7F))) + "\t\r\n"
#: Names of Python codecs, and their MIME names if those differ.
_MIME_NAMES = (
    (re.compile(r"ascii\Z"), "us-ascii"),
    (re.compile(r"iso8859-(\d+)\Z"), r"iso-8859-\1"),
    (re.compile(r"cp(125\d)\Z"), r"windows-\1"),
    (re.compile(r"iso2022_(jp|kr)\Z"), r"iso-2022-\1"),
    (re.compile(r"euc_(jp|kr)\Z"), r"euc-\1"),
)


class Charset(t.NamedTuple):
    """A character set.

    :param label: name in MIME.
    :param codec: name in Python.
    """

    label: str
    codec: str

    def encode(self, text: str, what: str) -> bytes:
        """Encode text.

        :param what: what the text is, for errors.
        :raises InvalidMessage: a character that this charset cannot represent, or half of a surrogate pair.
        """
        try:
            return text.encode(self.codec)
        except UnicodeEncodeError as error:
            culprit = text[error.start]
            if "\ud800" <= culprit <= "\udfff":
                raise InvalidMessage(
                    f"{what} is not valid text: it contains {culprit!r}, which is half of a character"
                ) from error
            raise InvalidMessage(
                f"{what} contains {culprit!r}, which charset {self.label} cannot represent; set charset to utf-8"
            ) from error


UTF_8 = Charset("utf-8", "utf-8")


@functools.lru_cache(maxsize=16)
def find_charset(name: str) -> Charset:
    """Return the charset of this name, in Python's or MIME's spelling.

    :raises InvalidMessage: the charset is not known, or cannot be used for mail.
    """
    try:
        codec = codecs.lookup(name).name
        fit = _ASCII.encode(codec) == _ASCII.encode("ascii")
    except (LookupError, ValueError):  # ValueError: a NUL in the name, or text that the codec cannot encode
        raise InvalidMessage(
            f"charset: {name!r} is not a known charset; expected one such as utf-8 or iso-8859-1"
        ) from None
    if not fit:
        raise InvalidMessage(f"charset: {name} cannot be used for mail; expected one such as utf-8 or iso-8859-1")
    for pattern, label in _MIME_NAMES:
        if pattern.match(codec):
            return Charset(pattern.sub(label, codec), codec)
    return Charset(codec, codec)

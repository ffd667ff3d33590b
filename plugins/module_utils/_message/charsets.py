# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The character sets that mail text can be written in, under the names that mail knows them by (RFC 2046, 4.1.2).

UTF-8 carries everything; another one is for readers who ask for it.
"""

from __future__ import annotations

import codecs
import functools
import re
import typing as t

from .errors import InvalidMessage

#: A mail charset writes ASCII as ASCII, line ends and header syntax included. UTF-16, UTF-7 and HZ do not.
_ASCII = "".join(map(chr, range(0x20, 0x7F))) + "\t\r\n"
#: The name of a Python codec, and the MIME name for it where it is another one.
_MIME_NAMES = (
    (re.compile(r"ascii\Z"), "us-ascii"),
    (re.compile(r"iso8859-(\d+)\Z"), r"iso-8859-\1"),
    (re.compile(r"cp(125\d)\Z"), r"windows-\1"),
    (re.compile(r"iso2022_(jp|kr)\Z"), r"iso-2022-\1"),
    (re.compile(r"euc_(jp|kr)\Z"), r"euc-\1"),
)


class Charset(t.NamedTuple):
    """A way to write text.

    :param label: name in MIME.
    :param codec: name in Python.
    """

    label: str
    codec: str

    def encode(self, text: str, what: str) -> bytes:
        """Write text.

        :param what: what the text is, for the error.
        :raises InvalidMessage: it holds a character that this charset lacks, or half of one.
        """
        try:
            return text.encode(self.codec)
        except UnicodeEncodeError as error:
            culprit = text[error.start]
            if "\ud800" <= culprit <= "\udfff":
                raise InvalidMessage(f"{what} is not all text: it holds {culprit!r}, half a character") from error
            raise InvalidMessage(
                f"{what} holds {culprit!r}, which charset {self.label} lacks; utf-8 carries everything"
            ) from error


UTF_8 = Charset("utf-8", "utf-8")


@functools.lru_cache(maxsize=16)
def find_charset(name: str) -> Charset:
    """The charset of this name, in Python's or MIME's spelling.

    :raises InvalidMessage: there is none, or mail text cannot be written in it.
    """
    try:
        codec = codecs.lookup(name).name
        fit = _ASCII.encode(codec) == _ASCII.encode("ascii")
    except (LookupError, ValueError):  # ValueError: a NUL in the name, or text the codec refuses
        raise InvalidMessage(f"{name!r} is no known charset; expected something like utf-8 or iso-8859-1") from None
    if not fit:
        raise InvalidMessage(f"mail text cannot be written in charset {name}; expected one like utf-8 or iso-8859-1")
    for pattern, label in _MIME_NAMES:
        if pattern.match(codec):
            return Charset(pattern.sub(label, codec), codec)
    return Charset(codec, codec)

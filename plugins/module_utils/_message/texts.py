# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Texts from files."""

from __future__ import annotations

import errno
import os
import stat

from .errors import InvalidMessage


def read_text(path: str, option: str) -> str:
    """The text of a file in UTF-8, with or without a byte order mark.

    :param option: what named the file, for errors.
    :raises InvalidMessage: it cannot be read; says which and why.
    """
    try:
        return decode_text(read_file(path), path, option)
    except OSError as error:
        raise InvalidMessage(f"{option} {path} cannot be read: {error.strerror}") from error


def read_file(path: str) -> bytes:
    """What a regular file holds; a pipe may never end, nor a device.

    :raises OSError: it cannot be read, or is none.
    """
    with open(path, "rb", opener=lambda name, flags: os.open(name, flags | os.O_NONBLOCK)) as stream:
        if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
            raise OSError(errno.EINVAL, "it is no regular file")
        return stream.read()


def decode_text(content: bytes, path: str, option: str) -> str:
    """The octets of a file as text.

    :raises InvalidMessage: they are not UTF-8.
    """
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise InvalidMessage(f"{option} {path}, line {line}: is not UTF-8; save the file as UTF-8") from None

# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read the files that options name, as octets or as text."""

from __future__ import annotations

import errno
import os
import stat

from .errors import InvalidMessage


def read_text(path: str, option: str) -> str:
    """Return the text of a UTF-8 file, with or without a byte order mark.

    :param option: option that names the file, for errors.
    :raises InvalidMessage: the file cannot be read or is not UTF-8; has path and reason.
    """
    try:
        return decode_text(read_file(path), path, option)
    except OSError as error:
        raise InvalidMessage(f"{option} {path} {why_unreadable(path, error)}") from error


def why_unreadable(path: str, error: OSError) -> str:
    """Return the end of a sentence about a file that cannot be read, with where it was looked for."""
    where = "" if os.path.isabs(path) else f", looked for in {os.getcwd()}"
    other = "; for a file on the controller, set remote_src: false" if error.errno == errno.ENOENT else ""
    return f"cannot be read: {error.strerror} on the host that sends{where}{other}"


def read_file(path: str) -> bytes:
    """Return the content of a regular file. Reading a pipe or a device might never end.

    :raises OSError: the file cannot be read or is not a regular file.
    """
    with open(path, "rb", opener=lambda name, flags: os.open(name, flags | os.O_NONBLOCK)) as stream:
        if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
            raise OSError(errno.EINVAL, "not a regular file")
        return stream.read()


def decode_text(content: bytes, path: str, option: str) -> str:
    """Return the content of a file as text.

    :raises InvalidMessage: the content is not UTF-8; has the line.
    """
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise InvalidMessage(f"{option} {path}, line {line}: is not UTF-8; save the file as UTF-8") from None

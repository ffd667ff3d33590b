# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A file that remembers what was accepted, so that another run sends no message twice.

One line a record, in JSON. Before the end of a message leaves, its intent is written; after the reply, the outcome.
An intent without an outcome is a run that died in between: whether the server took the message is unknown, as it is
when a connection is lost there (RFC 5321 section 4.2.5). The file only ever grows, by whole lines, each in one write:
several processes may share it, and a line that a crash cut short counts as not written.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import stat
import time
import typing as t

from .._smtp.delivery import DeliveryStatus, RecipientResult
from .._smtp.errors import Stage

if t.TYPE_CHECKING:
    from .._smtp.delivery import DeliveryResult, Envelope


class JournalError(ValueError):
    """The file cannot be used; the text is a sentence for the user."""


class Journal:
    """The memory of one purpose, kept by the host that sends. Messages are known by their Message-ID.

    It outlives the process at any moment. When the whole host loses power, the last seconds may be missing.

    :param path: the file, made where missing, readable by its owner only. One of another user, or that others may write
        to, is refused.
    :param read_only: neither makes nor changes nor locks the file.
    :raises JournalError: it cannot be opened, is no journal, or another run is using it.
    """

    def __init__(self, path: str, read_only: bool = False) -> None:
        self._path = path
        self._records: dict[str, tuple[tuple[int, int], ...]] = {}
        if read_only and not os.path.lexists(path):
            path = os.devnull
        flags = os.O_RDONLY if read_only else os.O_RDWR | os.O_CREAT | os.O_APPEND
        try:
            self._file = os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, 0o600)
            if path == self._path:
                _check_file(self._file, path)
            if not read_only:
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise JournalError(f"another run is using the journal {path}; wait for its end") from error
        except OSError as error:
            raise JournalError(f"the journal {path} cannot be opened: {error.strerror}") from error
        whole = self._read()
        if not read_only:
            os.ftruncate(self._file, whole)

    def _read(self) -> int:
        """Find the records of each message.

        :returns: octets of whole lines; what follows them a crash cut short.
        """
        offset = 0
        with open(self._file, "rb", closefd=False) as file:
            for number, line in enumerate(file, 1):
                if line.endswith(b"\n"):
                    message_id = self._parse(line, number)
                    self._records[message_id] = (*self._records.get(message_id, ()), (len(line), offset))
                    offset += len(line)
        return offset

    def _parse(self, line: bytes, number: int) -> str:
        try:
            record = json.loads(line)
            if isinstance(record["id"], str) and isinstance(record.get("begun", record.get("ended")), list):
                return record["id"]
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            pass
        raise JournalError(f"{self._path}, line {number} is no record of a journal; name another file")

    def known(self, message_id: str) -> dict[str, RecipientResult]:
        """What earlier runs know of a message, for each of its recipients."""
        results: dict[str, RecipientResult | None] = {}
        before: dict[str, RecipientResult | None] = {}
        for record in self._records_of(message_id):
            for address in record.get("begun", ()):
                before[address], results[address] = results.get(address), _begun(address)
            for one in map(RecipientResult.from_dict, record.get("ended", ())):
                earlier = before.pop(one.address, results.get(one.address))
                # what another attempt comes to says nothing of the earlier copy, unless it was accepted
                keep = earlier and earlier.status is DeliveryStatus.UNKNOWN and one.status is not DeliveryStatus.SENT
                results[one.address] = earlier if keep else one
        return {address: result for address, result in results.items() if result}

    def _records_of(self, message_id: str) -> t.Iterator[dict[str, t.Any]]:
        for place in self._records.get(message_id, ()):
            yield json.loads(os.pread(self._file, *place))  # forks share where a file stands, so nobody may move it

    def begin(self, envelope: Envelope) -> None:
        """Write that the end of a message is about to leave.

        :raises OSError: it could not be written; the message must not be sent.
        """
        self._write(envelope.message_id, "begun", envelope.recipients)

    def end(self, attempt: DeliveryResult) -> None:
        """Write what an attempt came to.

        :raises OSError: it could not be written; another run will take the message for unknown.
        """
        self._write(attempt.message_id, "ended", [one.to_dict() for one in attempt.recipients])

    def _write(self, message_id: str, event: str, recipients: t.Sequence[t.Any]) -> None:
        record = {"id": message_id, "at": int(time.time()), event: recipients}
        line = json.dumps(record, separators=(",", ":")).encode() + b"\n"
        if os.write(self._file, line) != len(line):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def close(self) -> None:
        """Let go of the file, and let the next run have it."""
        os.close(self._file)


def _check_file(descriptor: int, path: str) -> None:
    """What others may write to could say that everything was sent.

    :raises JournalError: it is no file, or others than this user may write to it.
    """
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        raise JournalError(f"the journal {path} is no regular file; name another one")
    if status.st_uid != os.geteuid() or status.st_mode & 0o022:
        raise JournalError(
            f"others may write to the journal {path}; it must be a file of the user that sends, writable by its owner "
            "only"
        )


def _begun(address: str) -> RecipientResult:
    """What another run shall find if this one dies now."""
    problem = "an earlier run ended while the message was handed over"
    return RecipientResult(address, DeliveryStatus.UNKNOWN, Stage.END_OF_DATA, problem=problem)

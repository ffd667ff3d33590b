# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A file that records what was accepted, so that the next run sends no message twice.

Each line is a record in JSON. The intent is written before the end of the data is sent, the outcome after the reply.
An intent without an outcome means that a run died in between: whether the server accepted the message is unknown, as
after a connection lost at that point (RFC 5321 section 4.2.5). Records are only appended, each as a whole line in one
write: several processes may share the file, and a line that a crash cut short counts as not written.
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
    """The journal cannot be used; the text is a sentence for the user."""


class Journal:
    """The record of one mailing, kept on the host that sends. A message is identified by its Message-ID.

    It survives if the process is killed at any point. If the host loses power, the last seconds may be missing.

    :param path: the file; created if missing, readable only by its owner. A file that belongs to another user, or that
        other users can write to, is refused.
    :param read_only: do not create, change or lock the file.
    :raises JournalError: the file cannot be opened, is not a journal, or is in use by another run.
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
            raise JournalError(
                f"another run is using the journal {path}; wait until it ends, or set journal to another file"
            ) from error
        except OSError as error:
            raise JournalError(
                f"the journal {path} cannot be opened: {error.strerror}; set journal to a file in an existing "
                "directory, not to a symbolic link"
            ) from error
        whole = self._read()
        if not read_only:
            os.ftruncate(self._file, whole)

    def _read(self) -> int:
        """Find the records of each message.

        :returns: octets of whole lines; anything after them is a line that a crash cut short.
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
        raise JournalError(f"{self._path}, line {number} is not a journal record; set journal to another file")

    def known(self, message_id: str) -> dict[str, RecipientResult]:
        """Return the results of earlier runs for each recipient of a message."""
        results: dict[str, RecipientResult | None] = {}
        before: dict[str, RecipientResult | None] = {}
        for record in self._records_of(message_id):
            for address in record.get("begun", ()):
                before[address], results[address] = results.get(address), _begun(address)
            for one in map(RecipientResult.from_dict, record.get("ended", ())):
                earlier = before.pop(one.address, results.get(one.address))
                # unless accepted, another attempt says nothing about the earlier copy
                keep = earlier and earlier.status is DeliveryStatus.UNKNOWN and one.status is not DeliveryStatus.SENT
                results[one.address] = earlier if keep else one
        return {address: result for address, result in results.items() if result}

    def _records_of(self, message_id: str) -> t.Iterator[dict[str, t.Any]]:
        for place in self._records.get(message_id, ()):
            yield json.loads(os.pread(self._file, *place))  # pread: forked workers share the file offset

    def begin(self, envelope: Envelope) -> None:
        """Record that the end of a message is about to be sent.

        :raises OSError: the record could not be written; the message must not be sent.
        """
        self._write(envelope.message_id, "begun", envelope.recipients)

    def end(self, attempt: DeliveryResult) -> None:
        """Record the result of an attempt.

        :raises OSError: the record could not be written; the next run will treat the message as unknown.
        """
        self._write(attempt.message_id, "ended", [one.to_dict() for one in attempt.recipients])

    def _write(self, message_id: str, event: str, recipients: t.Sequence[t.Any]) -> None:
        record = {"id": message_id, "at": int(time.time()), event: recipients}
        line = json.dumps(record, separators=(",", ":")).encode() + b"\n"
        if os.write(self._file, line) != len(line):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def close(self) -> None:
        """Close the file and release its lock."""
        os.close(self._file)


def _check_file(descriptor: int, path: str) -> None:
    """Refuse a file that another user could have filled with false records.

    :raises JournalError: it is not a regular file, or a user other than the current one may write to it.
    """
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        raise JournalError(f"the journal {path} is not a regular file; set journal to another file")
    if status.st_uid != os.geteuid() or status.st_mode & 0o022:
        raise JournalError(
            f"others may write to the journal {path}; expected a file that the user who runs the task owns and "
            "only its owner can write to; correct its owner or mode, or set journal to another file"
        )


def _begun(address: str) -> RecipientResult:
    """Return what the next run reports if this one dies now."""
    problem = "an earlier run ended while it handed over the message"
    return RecipientResult(address, DeliveryStatus.UNKNOWN, Stage.END_OF_DATA, problem=problem)

# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Messages in a file, CSV with a header row or JSON Lines: counted first, each read when it is asked for.

Only the place of each message is kept. A place is read with ``pread``, so that threads and forks may share the file.
"""

from __future__ import annotations

import abc
import csv
import io
import json
import os
import stat
import typing as t
import weakref
from array import array
from datetime import date

from .errors import RowError

#: Longest cell of a CSV file, in characters. Python's own limit of 131,072 is less than some newsletters.
_LONGEST_CELL = 1 << 24
FORMATS = {".csv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl"}


class Names(t.NamedTuple):
    """The names of a message's options.

    :param known: all names and aliases; any other key of a row is a variable.
    :param structured: those whose value is a list or a mapping, for which a CSV cell may hold JSON.
    """

    known: frozenset[str]
    structured: frozenset[str]

    @classmethod
    def of(cls, arguments: t.Mapping[str, t.Any]) -> Names:
        """The names in an argument spec."""
        known = {alias for name, spec in arguments.items() for alias in (name, *spec.get("aliases", ()))}
        return cls(
            frozenset(known), frozenset(name for name, spec in arguments.items() if spec["type"] in ("list", "dict"))
        )


class MessageFile(t.Sequence[dict[str, t.Any]], abc.ABC):
    """The options of each message; what is no option stands under ``vars``.

    :param label: what errors call the file.
    :raises RowError: it cannot be read.
    """

    def __init__(self, path: str, names: Names, label: str = "") -> None:
        self.label = label or path
        self._names = names
        self._starts = array("q")
        self._lines = array("q")
        try:
            self._descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
            self.close = weakref.finalize(self, os.close, self._descriptor)
            status = os.fstat(self._descriptor)
            if not stat.S_ISREG(status.st_mode):  # a pipe may never end, nor a device
                raise RowError(f"{self.label} is no regular file")
            self._end = status.st_size
            with open(self._descriptor, "rb", closefd=False) as stream:
                self._find_rows(stream)
        except OSError as error:
            raise RowError(f"{self.label} cannot be read: {error.strerror}") from error

    @abc.abstractmethod
    def _find_rows(self, stream: t.BinaryIO) -> None:
        """Note where each row begins, and its line."""

    @abc.abstractmethod
    def _options(self, index: int, text: str) -> dict[str, t.Any]:
        """What a row says, its variables under ``vars``."""

    def __len__(self) -> int:
        return len(self._starts)

    def __getitem__(self, index: t.Any) -> t.Any:
        return self._options(index, self._text(index))

    def line(self, index: int) -> int:
        """The line that a message begins in, from 1."""
        return self._lines[index]

    def where(self, index: int) -> str:
        """File and line of a message."""
        return f"{self.label}, line {self.line(index)}"

    def _text(self, index: int) -> str:
        start = self._starts[index]
        end = self._starts[index + 1] if index + 1 < len(self._starts) else self._end
        return self._decoded(os.pread(self._descriptor, end - start, start), self._lines[index])

    def _decoded(self, line: bytes, number: int) -> str:
        try:
            return line.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError as error:
            raise RowError(
                f"{self.label}, line {number}: is not UTF-8 (octet 0x{line[error.start]:02x}); save the file as UTF-8"
            ) from None

    def _split(self, index: int, row: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
        options = {name: value for name, value in row.items() if name in self._names.known}
        if len(options) == len(row):
            return options
        own = options.get("vars") or {}
        if not isinstance(own, dict):
            raise RowError(f"{self.where(index)}: vars is no mapping; leave it out where variables have their own keys")
        options["vars"] = {**{name: value for name, value in row.items() if name not in options}, **own}
        return options


class JsonLines(MessageFile):
    """One JSON object a line."""

    def _find_rows(self, stream: t.BinaryIO) -> None:
        start = 0
        for number, line in enumerate(stream, start=1):
            if line.strip(b"\xef\xbb\xbf \t\r\n"):
                self._starts.append(start)
                self._lines.append(number)
            start += len(line)

    def _options(self, index: int, text: str) -> dict[str, t.Any]:
        try:
            row = json.loads(text)
        except (ValueError, RecursionError) as error:
            what = f"{error.msg}, column {error.colno}" if isinstance(error, json.JSONDecodeError) else str(error)
            raise RowError(f"{self.where(index)}: is no JSON ({what}); each line holds one object") from None
        if not isinstance(row, dict):
            raise RowError(f'{self.where(index)}: expected an object such as {{"to": "jo@example.com"}}')
        return self._split(index, row)


class Csv(MessageFile):
    """A header row that names the columns, then a row for each message. An empty cell of an option is not given."""

    def _find_rows(self, stream: t.BinaryIO) -> None:
        csv.field_size_limit(max(csv.field_size_limit(), _LONGEST_CELL))
        self._place, self._line, self._delimiter = 0, 0, ","
        lines = self._read_lines(stream)
        header = next(lines, "")
        if "," not in header:  # what spreadsheets write where the comma parts decimals
            self._delimiter = next((other for other in ";\t" if other in header), ",")
        rows = csv.reader(lines, strict=True, delimiter=self._delimiter)
        self._columns = self._header(header)
        while True:
            place, line = self._place, self._line + 1
            try:
                cells = next(rows, None)
            except csv.Error as error:
                raise RowError(f"{self.label}, line {line}: {error}; quotes inside a quoted cell are doubled") from None
            if cells is None:
                return
            if any(cells):
                self._check(cells, line)
                self._starts.append(place)
                self._lines.append(line)

    def _read_lines(self, stream: t.BinaryIO) -> t.Iterator[str]:
        for line in stream:
            self._place += len(line)
            self._line += 1
            yield self._decoded(line, self._line)

    def _header(self, line: str) -> list[str]:
        try:
            columns = [name.strip() for name in next(csv.reader([line.rstrip("\r\n")], delimiter=self._delimiter), [])]
        except csv.Error as error:
            raise RowError(f"{self.label}, line 1: {error}") from None
        if not any(columns):
            raise RowError(f"{self.label}, line 1: expected the names of the columns, such as to,subject,name")
        seen: set[str] = set()
        for number, name in enumerate(columns, start=1):
            if not name:
                raise RowError(f"{self.label}, line 1: column {number} has no name")
            if name in seen:
                raise RowError(f"{self.label}, line 1: two columns are called {name}; expected one")
            seen.add(name)
        return columns

    def _check(self, cells: t.Sequence[str], line: int) -> None:
        if len(cells) != len(self._columns):
            raise RowError(
                f"{self.label}, line {line}: {len(cells)} cells, and the header has {len(self._columns)}; a cell that "
                "holds the delimiter stands in double quotes"
            )

    def _options(self, index: int, text: str) -> dict[str, t.Any]:
        try:  # line by line, since rows without a value may follow
            cells = next(csv.reader(io.StringIO(text, newline="\n"), strict=True, delimiter=self._delimiter))
            self._check(cells, self._lines[index])
        except (csv.Error, StopIteration):
            raise RowError(f"{self.where(index)}: was changed since the file was counted") from None
        known = self._names.known
        row = {name: cell for name, cell in zip(self._columns, cells) if cell or name not in known}
        for name in self._names.structured & row.keys():
            if row[name].lstrip()[:1] in ("[", "{"):
                row[name] = self._json(index, name, row[name])
        return self._split(index, row)

    def _json(self, index: int, column: str, cell: str) -> t.Any:
        try:
            return json.loads(cell)
        except (ValueError, RecursionError) as error:
            raise RowError(f"{self.where(index)}, column {column}: is no JSON ({error})") from None


def open_messages(path: str, form: str | None, names: Names, label: str = "") -> MessageFile:
    """The messages in a file.

    :param form: ``csv`` or ``jsonl``; None goes by the suffix of the file's name.
    :raises RowError: it cannot be read, or nothing says what form it has.
    """
    form = form or FORMATS.get(os.path.splitext(label or path)[1].lower())
    if form is None:
        known = ", ".join(FORMATS)
        raise RowError(f"{label or path}: the name does not end in one of {known}; set messages_format to csv or jsonl")
    found = (Csv if form == "csv" else JsonLines)(path, names, label)
    if not found:
        raise RowError(f"{found.label} holds no message")
    return found


class SpoolWriter:
    """Writes the messages that the controller hands to the host that sends them: one on a line.

    Each has the number of its line in the user's file. The first line names that file, or is null if the messages
    were listed in the task.
    """

    def __init__(self, stream: t.IO[str], label: str | None) -> None:
        self._stream = stream
        self._line(label)

    def add(self, line: int, options: t.Mapping[str, t.Any]) -> None:
        """:raises TypeError: a value that JSON cannot hold."""
        self._line([line, options])

    def _line(self, value: t.Any) -> None:
        self._stream.write(_ENCODER.encode(value) + "\n")


def _plain(value: t.Any) -> str:
    if isinstance(value, date):  # what YAML makes of 2026-11-22
        return value.isoformat()
    raise TypeError(f"expected text, a number, a list or a mapping, got {type(value).__name__}")


_ENCODER = json.JSONEncoder(default=_plain, separators=(",", ":"))


class Spool(JsonLines):
    """Reads what :class:`SpoolWriter` wrote; every key is the name of an option."""

    def __init__(self, path: str) -> None:
        super().__init__(path, Names(frozenset(), frozenset()))
        self._origin: str | None = json.loads(self._text(0))
        del self._starts[0], self._lines[0]

    def _options(self, index: int, text: str) -> dict[str, t.Any]:
        options: dict[str, t.Any] = json.loads(text)[1]
        return options

    def where(self, index: int) -> str:
        """File and line, or place in the option ``messages``."""
        if self._origin is None:
            return f"messages[{index}]"
        return f"{self._origin}, line {json.loads(self._text(index))[0]}"

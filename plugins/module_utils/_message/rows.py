# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Messages in a file, either CSV with a header row or JSON Lines: counted first, then each read on request.

Only the offset of each message is kept. Rows are read with ``pread``, so that threads and forks can share the file.
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

#: Longest cell of a CSV file, in characters. Python's default of 131,072 is too small for some newsletters.
_LONGEST_CELL = 1 << 24
FORMATS = {".csv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl"}


class Names(t.NamedTuple):
    """The names of a message's options.

    :param known: all names and aliases; any other key of a row is a variable.
    :param structured: options whose value is a list or a mapping; their CSV cells may contain JSON.
    """

    known: frozenset[str]
    structured: frozenset[str]

    @classmethod
    def of(cls, arguments: t.Mapping[str, t.Any]) -> Names:
        """Return the names in an argument spec."""
        known = {alias for name, spec in arguments.items() for alias in (name, *spec.get("aliases", ()))}
        return cls(
            frozenset(known),
            frozenset(name for name, spec in arguments.items() if spec["type"] == "dict" or "options" in spec),
        )


class MessageFile(t.Sequence[dict[str, t.Any]], abc.ABC):
    """The messages of a file, as a sequence of their options; keys that are not options are under ``vars``.

    :param label: name of the file in errors.
    :raises RowError: the file cannot be read.
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
            if not stat.S_ISREG(status.st_mode):  # reading a pipe or a device might never end
                raise RowError(f"{self.label} is not a regular file")
            self._end = status.st_size
            with open(self._descriptor, "rb", closefd=False) as stream:
                self._find_rows(stream)
        except OSError as error:
            raise RowError(f"{self.label} cannot be read: {error.strerror}") from error

    @abc.abstractmethod
    def _find_rows(self, stream: t.BinaryIO) -> None:
        """Record the offset and the line of each row."""

    @abc.abstractmethod
    def _options(self, index: int, text: str) -> dict[str, t.Any]:
        """Return the options of a row, with its variables under ``vars``."""

    def __len__(self) -> int:
        return len(self._starts)

    def __getitem__(self, index: t.Any) -> t.Any:
        return self._options(index, self._text(index))

    def line(self, index: int) -> int:
        """Return the line on which a message starts, counted from 1."""
        return self._lines[index]

    def where(self, index: int) -> str:
        """Return file and line of a message, for errors."""
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
            raise RowError(
                f"{self.where(index)}: vars is not a mapping; expected names and values, or no vars "
                "and a key for each variable"
            )
        options["vars"] = {**{name: value for name, value in row.items() if name not in options}, **own}
        return options


class JsonLines(MessageFile):
    """Messages as JSON Lines: one object on each line."""

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
            raise RowError(
                f"{self.where(index)}: is not valid JSON ({what}); expected one object on each line"
            ) from None
        if not isinstance(row, dict):
            raise RowError(f'{self.where(index)}: expected an object such as {{"to": "jo@example.com"}}')
        return self._split(index, row)


class Csv(MessageFile):
    """Messages as CSV: a header row with the names of the columns, then a row for each message.

    An empty cell means that the option is not set.
    """

    def _find_rows(self, stream: t.BinaryIO) -> None:
        csv.field_size_limit(max(csv.field_size_limit(), _LONGEST_CELL))
        self._place, self._line, self._delimiter = 0, 0, ","
        lines = self._read_lines(stream)
        header = next(lines, "")
        if "," not in header:  # spreadsheets write these where the comma is the decimal separator
            self._delimiter = next((other for other in ";\t" if other in header), ",")
        rows = csv.reader(lines, strict=True, delimiter=self._delimiter)
        self._columns = self._header(header)
        while True:
            place, line = self._place, self._line + 1
            try:
                cells = next(rows, None)
            except csv.Error as error:
                raise RowError(f"{self.label}, line {line}: {error}; double the quotes inside a quoted cell") from None
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
                raise RowError(f"{self.label}, line 1: column {number} has no name; expected a name for each column")
            if name in seen:
                raise RowError(f"{self.label}, line 1: two columns are named {name}; expected each name once")
            seen.add(name)
        return columns

    def _check(self, cells: t.Sequence[str], line: int) -> None:
        if len(cells) != len(self._columns):
            cells_found = f"{len(cells)} cell" if len(cells) == 1 else f"{len(cells)} cells"
            remedy = (
                "put a cell that contains the delimiter in double quotes"
                if len(cells) > len(self._columns)
                else "leave a cell empty for no value"
            )
            raise RowError(
                f"{self.label}, line {line} has {cells_found}, but the header has {len(self._columns)}; {remedy}"
            )

    def _options(self, index: int, text: str) -> dict[str, t.Any]:
        try:  # only one row: rows without a value may follow in the text
            cells = next(csv.reader(io.StringIO(text, newline="\n"), strict=True, delimiter=self._delimiter))
            self._check(cells, self._lines[index])
        except (csv.Error, StopIteration):
            raise RowError(
                f"{self.where(index)}: the row changed while the file was in use; run the task again"
            ) from None
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
            raise RowError(
                f"{self.where(index)}, column {column}: is not valid JSON ({error}); expected a list or an object"
            ) from None


def open_messages(path: str, form: str | None, names: Names, label: str = "") -> MessageFile:
    """Open a file of messages.

    :param form: ``csv`` or ``jsonl``; None to derive it from the suffix of the file name.
    :param label: name of the file in errors; empty for the path.
    :raises RowError: the file cannot be read, contains no message, or its format is not known.
    """
    form = form or FORMATS.get(os.path.splitext(label or path)[1].lower())
    if form is None:
        known = " or ".join(FORMATS)
        raise RowError(f"{label or path}: the name does not end in {known}; set messages_format to csv or jsonl")
    found = (Csv if form == "csv" else JsonLines)(path, names, label)
    if not found:
        raise RowError(f"{found.label} contains no messages; expected at least one")
    return found


class SpoolWriter:
    """Writer of the spool: the messages that the controller passes to the sending host, one on each line.

    Each message has the number of its line in the user's file. The first line of the spool names that file, or is null
    if the task listed the messages.
    """

    def __init__(self, stream: t.IO[str], label: str | None) -> None:
        self._stream = stream
        self._line(label)

    def add(self, line: int, options: t.Mapping[str, t.Any]) -> None:
        """Write one message.

        :param line: its line in the user's file; 0 if the task listed it.
        :raises TypeError: a value that JSON cannot represent.
        """
        self._line([line, options])

    def _line(self, value: t.Any) -> None:
        self._stream.write(_ENCODER.encode(value) + "\n")


def _plain(value: t.Any) -> str:
    if isinstance(value, date):  # YAML parses 2026-11-22 as a date
        return value.isoformat()
    raise TypeError(f"expected text, a number, a list or a mapping, got {type(value).__name__}")


_ENCODER = json.JSONEncoder(default=_plain, separators=(",", ":"))


class Spool(JsonLines):
    """Messages that :class:`SpoolWriter` wrote; every key is the name of an option."""

    def __init__(self, path: str) -> None:
        super().__init__(path, Names(frozenset(), frozenset()))
        self._origin: str | None = json.loads(self._text(0))
        del self._starts[0], self._lines[0]

    def _options(self, index: int, text: str) -> dict[str, t.Any]:
        options: dict[str, t.Any] = json.loads(text)[1]
        return options

    def where(self, index: int) -> str:
        """Return file and line, or the place in the option ``messages``, for errors."""
        if self._origin is None:
            return f"messages[{index}]"
        return f"{self._origin}, line {json.loads(self._text(index))[0]}"

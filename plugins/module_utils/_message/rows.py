# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Messages in a file, either CSV with a header row or JSON Lines: counted first, then each read on request.

Only the offset of each message is kept. Rows are read with ``pread``, so that threads and forks can share the file.
"""

from __future__ import annotations

import abc
import codecs
import contextlib
import csv
import functools
import io
import itertools
import json
import os
import re
import stat
import typing as t
import weakref
from array import array
from datetime import date

from .errors import MessageError, RowError
from .files import why_unreadable
from .forms import is_structured, json_or_text, read_json
from .options import TEXT

#: Longest cell of a CSV file, in characters. Python's default of 131,072 is too small for some newsletters.
_LONGEST_CELL = 1 << 24
_DELIMITERS = ",;\t|"
#: The line in which Excel writes and expects the delimiter, sometimes in quotes or with empty cells behind it.
_DELIMITER_LINE = re.compile(r'"?sep *= *(?P<delimiter>[^"]*)"?(?P<cells>[,;\t|]*)', re.IGNORECASE)
#: Characters that are not visible; Ctrl-Z ends a text file of DOS.
_UNSEEN = "\u200b\u200c\u200d\u200e\u200f\u2060\ufeff\x1a"
_SEEN = re.compile(rf"[^\s{_UNSEEN}]")
#: Byte order marks of what spreadsheets save as "Unicode text"; UTF-32 begins like UTF-16.
_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_UNSEEN_OCTETS = (_UNSEEN + " \t\r\n").encode()
FORMATS = {".csv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl"}


class Names(t.NamedTuple):
    """The names of a message's options.

    :param known: all names and aliases; any other key of a row is a variable.
    :param structured: options whose value may be a list or a mapping; their CSV cells may contain JSON.
    :param aliases: alias -> name of the option.
    :param texts: options with a text of many lines; their CSV cells may contain a JSON list of lines.
    """

    known: frozenset[str]
    structured: frozenset[str]
    aliases: t.Mapping[str, str] = {}
    texts: frozenset[str] = frozenset()

    @classmethod
    def of(cls, arguments: t.Mapping[str, t.Any]) -> Names:
        """Return the names in an argument spec."""
        aliases = {alias: name for name, spec in arguments.items() for alias in spec.get("aliases", ())}
        structured = {name for name, spec in arguments.items() if is_structured(spec["type"])}
        return cls(
            frozenset([*arguments, *aliases]),
            frozenset([*structured, *(alias for alias, name in aliases.items() if name in structured)]),
            aliases,
            frozenset(name for name, spec in arguments.items() if spec["type"] is TEXT),
        )

    def key(self, name: str) -> str:
        """Return the option that a column names, in any case and with blanks or hyphens, else the name itself.

        >>> names = Names(frozenset(["reply_to"]), frozenset())
        >>> names.key("Reply-To"), names.key("Name")
        ('reply_to', 'Name')
        """
        folded = name if name in self.known else _folded(name)
        return folded if folded in self.known else name

    def same(self, columns: t.Iterable[str]) -> tuple[str, str] | None:
        """Return two columns that stand for the same option or variable, if there are any."""
        seen: dict[str, str] = {}
        for column in columns:
            key = self.key(column)
            other = seen.setdefault(self.aliases.get(key, key), column)
            if other is not column:
                return other, column
        return None


@functools.lru_cache(1024)
def _folded(name: str) -> str:
    return re.sub(r"[\s_-]+", "_", name.strip().lower())


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
                raise RowError(f"messages_file {self.label} is not a regular file")
            self._end = status.st_size
            with open(self._descriptor, "rb", closefd=False) as stream:
                self._find_rows(stream)
        except OSError as error:
            raise RowError(f"messages_file {self.label} {why_unreadable(path, error)}") from error

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
            text = line.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError as error:
            what = "UTF-16" if number == 1 and line.startswith(_UTF_16) else f"octet 0x{line[error.start]:02x}"
            raise RowError(f"{self.label}, line {number}: is not UTF-8 ({what}); save the file as UTF-8") from None
        if "\0" in text:  # UTF-16 without a byte order mark
            raise RowError(f"{self.label}, line {number}: contains a NUL octet; save the file as text in UTF-8")
        return text.rstrip("\x1a")

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
            if line.strip(_UNSEEN_OCTETS):
                self._starts.append(start)
                self._lines.append(number)
            start += len(line)

    def _options(self, index: int, text: str) -> dict[str, t.Any]:
        try:
            row = read_json(text.partition("\n")[0])  # lines without a value may follow
        except ValueError as error:
            what = f"{error.msg}, column {error.colno}" if isinstance(error, json.JSONDecodeError) else str(error)
            raise RowError(
                f"{self.where(index)}: is not valid JSON ({what}); expected one object on each line"
            ) from None
        if not isinstance(row, dict):
            raise RowError(f'{self.where(index)}: expected an object such as {{"to": "jo@example.com"}}')
        if not row.keys() <= self._names.known:
            same = self._names.same(row)
            if same:
                raise RowError(f"{self.where(index)}: {same[0]} and {same[1]} are the same option; expected one")
            row = {self._names.key(name): value for name, value in row.items()}
        return self._split(index, row)


class Csv(MessageFile):
    """Messages as CSV: a header row with the names of the columns, then a row for each message.

    Lines end with LF, CRLF or CR. An empty cell means that the option is not set.
    """

    def _find_rows(self, stream: t.BinaryIO) -> None:
        csv.field_size_limit(max(csv.field_size_limit(), _LONGEST_CELL))
        self._place, self._line = 0, 0
        lines = self._read_lines(stream)
        self._columns = self._header(lines)
        rows = csv.reader(lines, strict=True, delimiter=self._delimiter)
        while True:
            place, line = self._place, self._line + 1
            try:
                cells = next(rows, None)
            except csv.Error as error:
                raise RowError(f"{self.label}, line {line}: {error}; double the quotes inside a quoted cell") from None
            if cells is None:
                return
            if any(map(_SEEN.search, cells)):
                self._check(cells, line)
                if cells[0].strip(_UNSEEN) == self._names_given[0] and [*map(_cleaned, cells)] == self._names_given:
                    raise RowError(f"{self.label}, line {line} repeats the names of the columns; remove this line")
                self._starts.append(place)
                self._lines.append(line)

    def _read_lines(self, stream: t.BinaryIO) -> t.Iterator[str]:
        # One character is one octet here, so the length of a line is known; LF and CR are the same octets in UTF-8.
        for line in io.TextIOWrapper(t.cast("t.IO[bytes]", stream), "latin-1", newline=""):
            self._place += len(line)
            self._line += 1
            yield self._decoded(line.encode("latin-1"), self._line)

    def _header(self, lines: t.Iterator[str]) -> list[str]:
        """Find the delimiter and read the names of the columns."""
        filled = (line for line in lines if _SEEN.search(line.strip(_DELIMITERS + _UNSEEN + " \r\n")))
        first = next(filled, "")
        stated = _DELIMITER_LINE.fullmatch(first.strip(" \r\n" + _UNSEEN))
        if stated:
            self._delimiter = stated["cells"][:1] or self._stated(stated["delimiter"])
            first = next(filled, "")
        else:
            self._delimiter = self._likely(first)
        where = f"{self.label}, line {self._line or 1}"
        try:
            columns = next(csv.reader(itertools.chain([first], lines), strict=True, delimiter=self._delimiter), [])
        except csv.Error as error:
            raise RowError(f"{where}: {error}; double the quotes inside a quoted cell") from None
        self._names_given = columns = [_cleaned(name) for name in columns]
        self._check_names(columns, where)
        return [self._names.key(name) for name in columns]

    def _stated(self, text: str) -> str:
        delimiter = text[:1]
        if not delimiter or delimiter.isalnum() or delimiter in "\"'" or text.strip(delimiter):
            raise RowError(f"{self.label}, line {self._line}: sep={text} names no delimiter; expected one, as in sep=;")
        return delimiter

    def _likely(self, header: str) -> str:
        """Return the delimiter that gives most options, then most columns; spreadsheets write several."""

        def names(delimiter: str) -> tuple[int, int]:
            columns = [self._names.key(_cleaned(name)) for name in next(csv.reader([header], delimiter=delimiter), [])]
            return len(self._names.known.intersection(columns)), len(columns)

        return max(_DELIMITERS, key=names)

    def _check_names(self, columns: t.Sequence[str], where: str) -> None:
        if not any(columns):
            raise RowError(f"{where}: expected the names of the columns, such as to,subject,name")
        if "" in columns:
            number = columns.index("") + 1
            raise RowError(f"{where}: column {number} has no name; expected a name for each column")
        if len(columns) == 1 and self._names.known.intersection(re.split(r"[^\w-]+", columns[0].lower())) - {
            self._names.key(columns[0])
        }:
            raise RowError(f"{where}: {columns[0]!r} has no known delimiter; name it in a first line such as sep=:")
        same = self._names.same(columns)
        if same:
            one, other = same
            twice = f"two columns are named {one}" if one == other else f"columns {one} and {other} are the same option"
            raise RowError(f"{where}: {twice}; expected each name once")

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
        try:
            # only one row, in lines: rows without a value may follow
            cells = next(csv.reader(io.StringIO(text, newline=""), strict=True, delimiter=self._delimiter), [])
            self._check(cells, self._lines[index])
        except csv.Error:
            raise RowError(
                f"{self.where(index)}: the row changed while the file was in use; run the task again"
            ) from None
        known = self._names.known
        row: dict[str, t.Any] = {
            name: cell for name, cell in zip(self._columns, cells) if cell.strip() or name not in known
        }
        for name in self._names.structured & row.keys():
            try:
                row[name] = json_or_text(row[name], name)
            except MessageError as error:
                raise RowError(f"{self.where(index)}, column {error}") from None
        for name in self._names.texts & row.keys():
            row[name] = _lines(row[name])
        return self._split(index, row)


def _lines(cell: str) -> str | list[str]:
    """Return the lines of a text that is a JSON list of texts, else the text itself."""
    if cell[:1] == "[":
        with contextlib.suppress(ValueError):
            lines: list[str] = read_json(cell)
            if all(isinstance(line, str) for line in lines):
                return lines
    return cell


def _cleaned(name: str) -> str:
    """Return the name of a column without what cannot be seen: blanks, line breaks, a byte order mark."""
    return " ".join(name.split()).strip(_UNSEEN + " ")


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
        self.label = json.loads(self._text(0)) or ""
        del self._starts[0], self._lines[0]

    def _options(self, index: int, text: str) -> dict[str, t.Any]:
        options: dict[str, t.Any] = json.loads(text)[1]
        return options

    def where(self, index: int) -> str:
        """Return file and line, or the place in the option ``messages``, for errors."""
        return f"{self.label}, line {json.loads(self._text(index))[0]}" if self.label else f"messages[{index}]"

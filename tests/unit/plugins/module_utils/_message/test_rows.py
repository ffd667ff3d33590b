# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Messages in CSV and JSON Lines files: their options, their line numbers, and the errors for invalid rows."""

from __future__ import annotations

import csv
import io
import json
import os
import time
import typing as t
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.mailops.smtp.plugins.module_utils._message.errors import RowError
from ansible_collections.mailops.smtp.plugins.module_utils._message.rows import Names, open_messages
from ansible_collections.mailops.smtp.plugins.module_utils._module.message import MESSAGE_ARGUMENTS

NAMES = Names.of(MESSAGE_ARGUMENTS)


def read(path: Path, content: bytes, form: str | None = None) -> list[dict[str, t.Any]]:
    path.write_bytes(content)
    return list(open_messages(str(path), form, NAMES))


CSV_FILES = [
    (b"to,subject\na@b,Hi\n", [{"to": "a@b", "subject": "Hi"}]),
    (b"\xef\xbb\xbfto,name\r\na@b,Ann\r\n", [{"to": "a@b", "vars": {"name": "Ann"}}]),
    (
        b'to,body\na@b,"one\ntwo, ""three"""\nc@d,x',
        [{"to": "a@b", "body": 'one\ntwo, "three"'}, {"to": "c@d", "body": "x"}],
    ),
    (b"to,cc,name\na@b,,\n", [{"to": "a@b", "vars": {"name": ""}}]),
    (b"to;name\na@b;1,5\n", [{"to": "a@b", "vars": {"name": "1,5"}}]),
    (b"to\tname\na@b\tx\n", [{"to": "a@b", "vars": {"name": "x"}}]),
    (b"to\n\na@b\n\n\nc@d\n", [{"to": "a@b"}, {"to": "c@d"}]),
    (b"to,cc\n,\na@b,\n", [{"to": "a@b"}]),
    (b"to,cc\na@b,\n,\n\n,\nc@d,\n,\n", [{"to": "a@b"}, {"to": "c@d"}]),
    (b'to,dsn\na@b,"{""full"": true}"\n', [{"to": "a@b", "dsn": {"full": True}}]),
    (b'to,vars,x\na@b,"{""y"": 1}",2\n', [{"to": "a@b", "vars": {"x": "2", "y": 1}}]),
    (b"sender, to \na@b,c@d\n", [{"sender": "a@b", "to": "c@d"}]),
    ("to,name\na@b,Jörg\u2028x\n".encode(), [{"to": "a@b", "vars": {"name": "Jörg\u2028x"}}]),
]

#: What spreadsheets and people write instead of ``to,cc,name``.
ODD_CSV_FILES = [
    (b"To,Cc, BCC ,Name\na@b,c@d,e@f,Ann\n", [{"to": "a@b", "cc": "c@d", "bcc": "e@f", "vars": {"Name": "Ann"}}]),
    (b"TO,Reply-To,reply to x\na@b,c@d,y\n", [{"to": "a@b", "reply_to": "c@d", "vars": {"reply to x": "y"}}]),
    (b"Recipients,List Unsubscribe\na@b,mailto:c@d\n", [{"recipients": "a@b", "list_unsubscribe": "mailto:c@d"}]),
    (b"\xc2\xa0To\xc2\xa0,x\na@b,1\n", [{"to": "a@b", "vars": {"x": "1"}}]),
    (b'\xef\xbb\xbf"To","x"\n"a@b","1"\n', [{"to": "a@b", "vars": {"x": "1"}}]),
    (b"sep=;\r\nto;name\r\na@b;1,5\r\n", [{"to": "a@b", "vars": {"name": "1,5"}}]),
    (b"\xef\xbb\xbfSEP=,\nto,name\na@b,x\n", [{"to": "a@b", "vars": {"name": "x"}}]),
    (b'"sep=|"\n\nto|name\na@b|x\n', [{"to": "a@b", "vars": {"name": "x"}}]),
    (b"sep=\t\nto\tname\na@b\tx\n", [{"to": "a@b", "vars": {"name": "x"}}]),
    (b'"Name, first";to\nAnn;a@b\n', [{"to": "a@b", "vars": {"Name, first": "Ann"}}]),
    (b"Name, first;to\nAnn;a@b\n", [{"to": "a@b", "vars": {"Name, first": "Ann"}}]),
    (b'"a;b","c;d",to\n1,2,a@b\n', [{"to": "a@b", "vars": {"a;b": "1", "c;d": "2"}}]),
    (b'to\t"a,b;c"\na@b\t1\n', [{"to": "a@b", "vars": {"a,b;c": "1"}}]),
    (b'to,"two\nlines"\na@b,x\n', [{"to": "a@b", "vars": {"two lines": "x"}}]),
    (
        b'to,name\ra@b,Ann\rc@d,"x\ry"\r\r  \r',
        [{"to": "a@b", "vars": {"name": "Ann"}}, {"to": "c@d", "vars": {"name": "x\ry"}}],
    ),
    (b"\n ; \nto;x\n   \n ; \n\t\na@b;1\n", [{"to": "a@b", "vars": {"x": "1"}}]),
    (b"to,cc\na@b,  \n", [{"to": "a@b"}]),
    (b'"sep=;";;;\nto;cc;x;y\na@b;;1,5;2\n', [{"to": "a@b", "vars": {"x": "1,5", "y": "2"}}]),
    (b'"sep=;",\nto,x\na@b,1\n', [{"to": "a@b", "vars": {"x": "1"}}]),
    (b"sep = ;\nto;x\na@b;1,5\n", [{"to": "a@b", "vars": {"x": "1,5"}}]),
    (b"to|subject|body\na@b|s|x,y\n", [{"to": "a@b", "subject": "s", "body": "x,y"}]),
    ("to,x\n\u200b\n\ufeff\na@b,1\n\u200b,\n\x1a".encode(), [{"to": "a@b", "vars": {"x": "1"}}]),
    (b"to,x\na@b,1\x1a", [{"to": "a@b", "vars": {"x": "1"}}]),
    (b'to,body\na@b,"[""l1"",""l2""]"\n', [{"to": "a@b", "body": ["l1", "l2"]}]),
    (b"to,body,html\na@b,[1],[draft] x\n", [{"to": "a@b", "body": "[1]", "html": "[draft] x"}]),
]


@pytest.mark.parametrize(("content", "expected"), [*CSV_FILES, *ODD_CSV_FILES])
def test_csv_rows_become_options_and_variables(
    tmp_path: Path, content: bytes, expected: list[dict[str, t.Any]]
) -> None:
    assert read(tmp_path / "m.csv", content) == expected


#: A value for each option that takes a list or a mapping; a new option of this kind must be added here.
JSON_CELLS: dict[str, t.Any] = {
    **{name: ["a@b", "c@d"] for name in ("to", "cc", "bcc", "reply_to", "attach", "in_reply_to", "references")},
    "headers": {"X-Ticket": "5"},
    "vars": {"x": 1},
    "attachments": [{"path": "/x"}],
    "inline": [{"path": "/x", "cid": "c"}],
    "list_unsubscribe": ["mailto:a@b"],
    "dsn": {"notify": ["never"]},
}


def test_json_in_the_cell_of_every_option_with_a_list_or_a_mapping(tmp_path: Path) -> None:
    stream = io.StringIO(newline="")
    csv.writer(stream).writerows([map(str.upper, JSON_CELLS), map(json.dumps, JSON_CELLS.values())])
    assert read(tmp_path / "m.csv", stream.getvalue().encode()) == [JSON_CELLS]
    plain = {name for name, spec in MESSAGE_ARGUMENTS.items() if spec["type"] not in ("list", "dict", "raw")}
    assert JSON_CELLS.keys() == MESSAGE_ARGUMENTS.keys() - plain
    assert read(tmp_path / "m.csv", b"attach,cc\n[draft] x.pdf,{{ x }}\n") == [
        {"attach": "[draft] x.pdf", "cc": "{{ x }}"}
    ]
    assert read(tmp_path / "m.csv", b'recipients\n"[""a@b""]"\n') == [{"recipients": ["a@b"]}]


def test_keys_of_json_lines_without_regard_to_case(tmp_path: Path) -> None:
    assert read(tmp_path / "m.jsonl", b'{"To": "a@b", "BCC": ["c@d"], "Name": "Ann"}\n') == [
        {"to": "a@b", "bcc": ["c@d"], "vars": {"Name": "Ann"}}
    ]


def test_json_lines_become_options_and_variables(tmp_path: Path) -> None:
    content = b'\xef\xbb\xbf{"to": ["a@b", "c@d"], "n": 1}\n\n  \r\n{"sender": "x@y", "vars": {"a": 1}, "b": 2}'
    assert read(tmp_path / "m.ndjson", content) == [
        {"to": ["a@b", "c@d"], "vars": {"n": 1}},
        {"sender": "x@y", "vars": {"a": 1, "b": 2}},
    ]


BAD = [
    ("m.csv", b"to,name\na@b,Ann,x\n", "m.csv, line 2 has 3 cells, but the header has 2; put a cell"),
    ("m.csv", b'to,body\na@b,"1\n2"\nc@d\n', "m.csv, line 4 has 1 cell, but the header has 2; leave a cell empty"),
    ("m.csv", b'to,body\na@b,x\nc@d,"never closed\n\n', "m.csv, line 3: unexpected end of data"),
    ("m.csv", b"to,to\n", "two columns are named to"),
    ("m.csv", b"To,x,to\n", "m.csv, line 1: columns To and to are the same option"),
    ("m.csv", b"to,Recipients\n", "m.csv, line 1: columns to and Recipients are the same option"),
    ("m.csv", b"sep=;\n\nto;TO\n", "m.csv, line 3: columns to and TO are the same option"),
    ("m.csv", b"sep=;\nto;x\na@b\n", "m.csv, line 3 has 1 cell"),
    ("m.csv", b"sep=\nto\n", "m.csv, line 1: sep= names no delimiter; expected one, as in sep=;"),
    ("m.csv", b"sep=ab\nto\n", "m.csv, line 1: sep=ab names no delimiter"),
    ("m.csv", b"sep=;\n", "expected the names of the columns"),
    ("m.csv", b'to,headers\na@b,"{bad"\n', "m.csv, line 2, column headers: is not valid JSON"),
    ("m.csv", b"to\ra@b\rc@d,x\r", "m.csv, line 3 has 2 cells"),
    ("m.csv", "to\na@b\n".encode("utf-16"), "m.csv, line 1: is not UTF-8 (UTF-16); save the file as UTF-8"),
    ("m.csv", "to\na@b\n".encode("utf-16-le"), "m.csv, line 1: contains a NUL octet; save the file as text in UTF-8"),
    ("m.jsonl", '{"to": "a@b"}\n'.encode("utf-16"), "m.jsonl, line 1: is not UTF-8 (UTF-16)"),
    ("m.jsonl", b'{"to": "a@b", "TO": "c@d"}\n', "m.jsonl, line 1: to and TO are the same option"),
    ("m.csv", b"to,,x\na,b,c\n", "column 2 has no name"),
    ("m.csv", b"to,name\na@b,J\xf6rg\n", "m.csv, line 2: is not UTF-8 (octet 0xf6)"),
    ("m.csv", "to\na@b\n".encode("utf-16"), "line 1: is not UTF-8"),
    ("m.csv", b"to,dsn\na@b,{full}\n", "m.csv, line 2, column dsn: is not valid JSON"),
    (
        "m.csv",
        b'to,headers\na@b,"{""X-A"": 1, ""X-A"": 2}"\n',
        "line 2, column headers: is not valid JSON (the key",
    ),
    ("m.jsonl", b'{"to": "a@b"}\n{"to": "a@b", "to": "c@d"}\n', "m.jsonl, line 2: is not valid JSON (the key 'to' occ"),
    ("m.csv", b"to,x\na@b,1\nto,x\nc@d,2\n", "m.csv, line 3 repeats the names of the columns; remove this line"),
    ("m.csv", b"to:subject\na@b:x\n", "m.csv, line 1: 'to:subject' has no known delimiter; name it in a first line"),
    ("m.csv", b"", "line 1: expected the names of the columns"),
    ("m.csv", b"to\n", "contains no messages"),
    ("m.jsonl", b"\n", "contains no messages"),
    ("m.jsonl", b'{"to": "a@b"}\n{"to": }\n', "m.jsonl, line 2: is not valid JSON (Expecting value, column 8)"),
    ("m.jsonl", b'{"to": "a@b"}\n["c@d"]\n', "m.jsonl, line 2: expected an object"),
    ("m.jsonl", b'{"to": "a@b", "vars": "x", "y": 1}\n', "line 1: vars is not a mapping"),
    ("m.jsonl", b'{"to": "\xff"}\n', "line 1: is not UTF-8"),
    ("people", b"to\na@b\n", "set messages_format to csv or jsonl"),
]


@pytest.mark.parametrize(("name", "content", "words"), BAD)
def test_error_names_file_and_line(tmp_path: Path, name: str, content: bytes, words: str) -> None:
    with pytest.raises(RowError) as error:
        read(tmp_path / name, content)
    assert words in str(error.value)


DEEP = b"[" * 100_000


@pytest.mark.parametrize(("name", "content"), [("m.jsonl", DEEP), ("m.csv", b"to,attachments\na@b," + DEEP)])
def test_deeply_nested_json_is_an_error(tmp_path: Path, name: str, content: bytes) -> None:
    with pytest.raises(RowError, match=r"line \d.*: is not valid JSON"):
        read(tmp_path / name, content)


def test_row_changed_after_counting_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "m.csv"
    path.write_bytes(b"to,subject\na@b,Hello\n")
    messages = open_messages(str(path), None, NAMES)
    for content in (b'to,subject\na@b,"ello\n', b"to,subject\n", b"to,subject\na@b\n\n\n\n"):
        path.write_bytes(content)
        with pytest.raises(RowError, match=r"m\.csv, line 2"):
            messages[0]


def test_many_columns_take_linear_time(tmp_path: Path) -> None:
    began = time.process_time()
    columns = b",".join(b"c%d" % number for number in range(50_000))
    assert len(read(tmp_path / "m.csv", columns + b"\n" + columns + b"x\n")[0]["vars"]) == 50_000
    assert time.process_time() - began < 5  # 0.2 s; more than 30 s if each name is compared with all others


def test_pipe_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "m.csv")
    with pytest.raises(RowError, match="is not a regular file"):
        open_messages(str(tmp_path / "m.csv"), None, NAMES)


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(RowError, match=r"nowhere\.csv cannot be read: No such file"):
        open_messages(str(tmp_path / "nowhere.csv"), None, NAMES)


def test_messages_format_takes_precedence_over_the_suffix(tmp_path: Path) -> None:
    assert read(tmp_path / "m.csv", b'{"to": "a@b"}\n', "jsonl") == [{"to": "a@b"}]


def test_rows_are_read_in_any_order_with_their_line_numbers(tmp_path: Path) -> None:
    path = tmp_path / "m.csv"
    path.write_bytes(b'to,body\n0@b,"1\n2"\n\n1@b,x\n2@b,y\n')
    messages = open_messages(str(path), None, NAMES, "people.csv")
    assert [messages[index]["to"] for index in (2, 0, 1, 0)] == ["2@b", "0@b", "1@b", "0@b"]
    assert [messages.where(index) for index in range(3)] == [f"people.csv, line {line}" for line in (2, 5, 6)]


def test_forks_share_the_file(tmp_path: Path) -> None:
    path = tmp_path / "m.jsonl"
    path.write_text("".join(f'{{"to": "{number}@b"}}\n' for number in range(5000)))
    messages = open_messages(str(path), None, NAMES)
    child = os.fork()
    wrong = sum(messages[index]["to"] != f"{index}@b" for index in range(5000))
    if not child:
        os._exit(bool(wrong))
    assert wrong == 0
    assert os.waitpid(child, 0)[1] == 0


cells = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1).filter(str.strip)


@given(st.lists(st.tuples(cells, cells), min_size=1, max_size=5))
def test_any_csv_reads_back_unchanged(tmp_path_factory: pytest.TempPathFactory, rows: t.Any) -> None:
    stream = io.StringIO(newline="")
    csv.writer(stream).writerows([("subject", "name"), *rows])
    path = tmp_path_factory.getbasetemp() / "m.csv"
    found = read(path, stream.getvalue().encode())
    assert [(row["subject"], row["vars"]["name"]) for row in found] == rows


@given(st.lists(st.dictionaries(st.sampled_from(["to", "subject", "x", "y"]), st.text()), min_size=1, max_size=5))
def test_any_json_reads_back_unchanged(tmp_path_factory: pytest.TempPathFactory, rows: t.Any) -> None:
    path = tmp_path_factory.getbasetemp() / "m.jsonl"
    found = read(path, "".join(json.dumps(row) + "\n" for row in rows).encode())
    assert [{**row.pop("vars", {}), **row} for row in found] == rows

# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The messages of a task: the same from each source, and validated like the option ``messages``."""

from __future__ import annotations

import datetime
import time
import tracemalloc
import typing as t
from pathlib import Path

import pytest

from ansible_collections.mailops.smtp.plugins.module_utils._message.rows import SpoolWriter
from ansible_collections.mailops.smtp.plugins.module_utils._module import source as source_module
from ansible_collections.mailops.smtp.plugins.module_utils._module.source import MessageSource, messages_source

NOTHING = {"messages": None, "messages_file": None, "messages_format": None, "_spool": None}


def spooled(path: Path, rows: t.Iterable[t.Any], label: str | None = None) -> MessageSource:
    with path.open("w") as stream:
        writer = SpoolWriter(stream, label)
        for number, row in enumerate(rows):
            writer.add(number + 2, row)
    return messages_source({**NOTHING, "messages_file": str(path), "_spool": True})


def given(row: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    return {name: value for name, value in row.items() if value is not None}


def test_single_message_has_no_options_of_its_own() -> None:
    source = messages_source(NOTHING)
    assert (list(source), source.where(0)) == ([{}], "")


def test_list_is_used_as_it_is() -> None:
    rows = [{"to": "a@b"}, {"to": "c@d"}]
    source = messages_source({**NOTHING, "messages": rows})
    assert (list(source), source.where(1)) == (rows, "messages[1]")


def test_empty_list_has_no_message() -> None:
    assert len(messages_source({**NOTHING, "messages": []})) == 0


ROWS = [
    ({"to": "a@b", "subject": "x"}, {"to": "a@b", "subject": "x"}),
    ({"to": ["a@b"], "headers": {"X": "y"}}, {"to": ["a@b"], "headers": {"X": "y"}}),
    ({"sender": "a@b"}, {"from": "a@b", "sender": "a@b"}),
    ({"subject": 5, "require_tls": "yes"}, {"subject": "5", "require_tls": True}),
    ({"priority": "high"}, {"priority": "high"}),
    ({"subject": None, "to": "a@b"}, {"to": "a@b"}),
    ({"list_unsubscribe": "mailto:a@b,mailto:c@d"}, {"list_unsubscribe": ["mailto:a@b", "mailto:c@d"]}),
    ({"dsn": {"full": "yes"}}, {"dsn": {"notify": None, "full": True, "envelope_id": ""}}),
    ({"date": datetime.date(2026, 11, 22)}, {"date": "2026-11-22"}),
]


@pytest.mark.parametrize(("row", "expected"), ROWS)
def test_spooled_row_is_converted_as_in_messages(tmp_path: Path, row: t.Any, expected: t.Any) -> None:
    assert given(spooled(tmp_path / "s", [row])[0]) == expected


BAD_ROWS = [
    ({"subjct": "x"}, "unknown option subjct"),
    ({"priority": "urgent"}, "priority must be one of"),
    ({"body": "x", "body_file": "y"}, "mutually exclusive"),
    ({"attachments": [{"content": "x"}]}, "name"),
    ({"attachments": [{"path": "x", "nam": "y"}]}, "attachments.nam"),
    ({"inline": [{"path": "x"}]}, "cid"),
    ({"require_tls": "perhaps"}, "require_tls"),
]


@pytest.mark.parametrize(("row", "words"), BAD_ROWS)
def test_invalid_spooled_row_is_refused_as_in_messages(tmp_path: Path, row: t.Any, words: str) -> None:
    source = spooled(tmp_path / "s", [{}, row])
    assert source[0] == {}
    with pytest.raises(ValueError, match=words):
        source[1]


def test_spooled_row_is_named_by_its_line_in_the_users_file(tmp_path: Path) -> None:
    assert spooled(tmp_path / "s", [{}, {}], "people.csv").where(1) == "people.csv, line 3"
    assert spooled(tmp_path / "s", [{}, {}]).where(1) == "messages[1]"


def test_value_without_a_json_form_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="expected text"):
        spooled(tmp_path / "s", [{"subject": b"x"}])


def test_messages_file_on_the_host(tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    path.write_text("to,subject,name\na@b,x,Ann\nc@d,y,Bob\n")
    source = messages_source({**NOTHING, "messages_file": str(path)})
    assert [row["to"] for row in source] == [row["to"] for row in source] == ["a@b", "c@d"]
    assert source.where(1) == f"{path}, line 3"


def test_plain_rows_skip_the_validator(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = spooled(tmp_path / "s", [{"to": f"p{number}@b.test", "body": "x" * 200} for number in range(10_000)])
    monkeypatch.setattr(source_module, "_validated", pytest.fail)
    tracemalloc.start()
    began = time.perf_counter()
    assert sum(len(row) for row in source) == 20_000
    elapsed = time.perf_counter() - began
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1_000_000, "rows are kept"
    print(f"{elapsed * 100:.1f} us per row, traced")

# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The messages of a task: the same from each source."""

from __future__ import annotations

import tracemalloc
import typing as t
from pathlib import Path

import pytest

from ansible_collections.mailops.smtp.plugins.module_utils._message.errors import InvalidMessage
from ansible_collections.mailops.smtp.plugins.module_utils._message.rows import SpoolWriter
from ansible_collections.mailops.smtp.plugins.module_utils._module.source import MessageSource, messages_source

NOTHING = {"messages": None, "messages_file": None, "messages_format": None, "_spool": None}


def spooled(path: Path, rows: t.Iterable[t.Any], label: str | None = None) -> MessageSource:
    with path.open("w") as stream:
        writer = SpoolWriter(stream, label)
        for number, row in enumerate(rows):
            writer.add(number + 2, row)
    return messages_source({**NOTHING, "messages_file": str(path), "_spool": True})


def test_single_message_has_no_options_of_its_own() -> None:
    source = messages_source(NOTHING)
    assert (list(source), source.where(0)) == ([{}], "")


def test_list_is_used_as_it_is() -> None:
    rows = [{"to": "a@b"}, {"to": "c@d"}]
    source = messages_source({**NOTHING, "messages": rows})
    assert (list(source), source.where(1)) == (rows, "messages[1]")


def test_empty_list_has_no_message() -> None:
    assert len(messages_source({**NOTHING, "messages": []})) == 0


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


@pytest.mark.parametrize("messages", [{"to": "a@b"}, [{"to": "a@b"}], ({"to": "a@b"},)])
def test_one_message_may_stand_alone(messages: t.Any) -> None:
    source = messages_source({**NOTHING, "messages": messages})
    assert (list(source), source.where(0)) == ([{"to": "a@b"}], "messages[0]")


def test_list_and_file_exclude_each_other(tmp_path: Path) -> None:
    with pytest.raises(InvalidMessage, match="messages and messages_file are mutually exclusive"):
        messages_source({**NOTHING, "messages": [], "messages_file": str(tmp_path)})


def test_rows_are_not_kept(tmp_path: Path) -> None:
    source = spooled(tmp_path / "s", [{"to": f"p{number}@b.test", "body": "x" * 200} for number in range(10_000)])
    tracemalloc.start()
    assert sum(len(row) for row in source) == 20_000
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1_000_000

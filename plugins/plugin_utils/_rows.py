# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The messages of a task on the controller, one after the other, each with what errors call it."""

from __future__ import annotations

import contextlib
import tempfile
import typing as t

from ansible.constants import DEFAULT_LOCAL_TMP  # type: ignore[attr-defined]  # set when imported
from ansible.errors import AnsibleActionFail

from ansible_collections.mailops.smtp.plugins.module_utils._message.errors import MessageError
from ansible_collections.mailops.smtp.plugins.module_utils._message.rows import Names, open_messages


class Row(t.NamedTuple):
    """One message.

    :param where: its file and line, or its place in ``messages``.
    :param line: its line in a file, 0 without one.
    :param options: its own options, variables under ``vars``.
    """

    where: str
    line: int
    options: t.Mapping[str, t.Any]


def rows_in_list(messages: t.Sequence[t.Any], names: Names) -> t.Iterator[Row]:
    """Those of the option ``messages``.

    :raises AnsibleActionFail: one that is no mapping, or has an option that there is not.
    """
    for index, options in enumerate(messages):
        where = f"messages[{index}]"
        if not isinstance(options, dict):
            raise AnsibleActionFail(f"{where}: expected options and their values, got {type(options).__name__}")
        unknown = sorted(str(name) for name in options.keys() - names.known)
        if unknown:
            raise AnsibleActionFail(
                f"{where}: there is no option {', '.join(unknown)}; what a template needs stands under vars"
            )
        yield Row(where, 0, options)


def rows_in_file(path: str, form: str | None, names: Names, label: str) -> t.Iterator[Row]:
    """Those of a file on the controller.

    :param label: what errors call the file.
    :raises AnsibleActionFail: it cannot be read, or one of its rows; says which line.
    """
    if form not in (None, "csv", "jsonl"):
        raise AnsibleActionFail(f"messages_format is {form!r}; expected csv or jsonl")
    try:
        with contextlib.closing(open_messages(path, form, names, label)) as rows:
            for index in range(len(rows)):
                yield Row(rows.where(index), rows.line(index), rows[index])
    except MessageError as error:
        raise AnsibleActionFail(str(error)) from None


def of_the_host(rows: t.Iterable[Row]) -> t.Iterator[Row]:
    """Rows that a host wrote: it is not to choose which of the controller's files are mailed.

    :raises AnsibleActionFail: one names such a file.
    """
    for row in rows:
        for option in ("attachments", "inline"):
            items = row.options.get(option)
            for item in items if isinstance(items, list) else ():
                if isinstance(item, dict) and item.get("remote_src") not in (None, True):
                    raise AnsibleActionFail(
                        f"{row.where}: {option}: the host's messages may name the host's files only"
                    )
        yield row


@contextlib.contextmanager
def kept(content: bytes) -> t.Iterator[str]:
    """The path of a file with this content, for a while, that only this user may read."""
    with tempfile.NamedTemporaryFile(prefix="mailops-", dir=DEFAULT_LOCAL_TMP) as stream:
        stream.write(content)
        stream.flush()
        yield stream.name

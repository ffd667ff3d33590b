# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Iterate over the messages of a task on the controller, each with its name for errors."""

from __future__ import annotations

import contextlib
import tempfile
import typing as t

from ansible.constants import DEFAULT_LOCAL_TMP  # type: ignore[attr-defined]  # set when imported
from ansible.errors import AnsibleActionFail

from ansible_collections.mailops.smtp.plugins.module_utils._message.errors import MessageError
from ansible_collections.mailops.smtp.plugins.module_utils._message.forms import json_or_text, message_list
from ansible_collections.mailops.smtp.plugins.module_utils._message.options import as_list
from ansible_collections.mailops.smtp.plugins.module_utils._message.rows import Names, open_messages


class Row(t.NamedTuple):
    """One message.

    :param where: how errors name it: by file and line, or by its index in ``messages``.
    :param line: its line in the file; 0 without a file.
    :param options: its own options, with variables under ``vars``.
    """

    where: str
    line: int
    options: t.Mapping[str, t.Any]


def rows_in_list(messages: t.Any) -> t.Iterator[Row]:
    """Yield the messages of the option ``messages``.

    :raises AnsibleActionFail: the value is not a list of messages.
    """
    try:
        listed = message_list(messages) or ()
    except MessageError as error:
        raise AnsibleActionFail(str(error)) from None
    for index, options in enumerate(listed):
        yield Row(f"messages[{index}]", 0, options)


def rows_in_file(path: str, form: str | None, names: Names, label: str) -> t.Iterator[Row]:
    """Yield the messages of a file on the controller.

    :param label: how errors name the file.
    :raises AnsibleActionFail: the file or a row cannot be read; the text names the line.
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
    """Pass on rows from a host, which must not choose files of the controller to be mailed.

    :raises AnsibleActionFail: a row names a file of the controller.
    """
    for row in rows:
        check_host_row(row.options, row.where)
        yield row


def check_host_row(options: t.Mapping[str, t.Any], where: str) -> None:
    """Check options that a host has chosen: it must not choose files of the controller to be mailed.

    :raises AnsibleActionFail: an option names a file of the controller.
    """
    for option in ("attachments", "inline"):
        for item in as_list(_listed(options.get(option), f"{where}: {option}")):
            if isinstance(item, dict) and item.get("remote_src") not in (None, True):
                raise AnsibleActionFail(
                    f"{where}: {option}: a messages_file on the host may name only files on the host; remove remote_src"
                )


def _listed(value: t.Any, place: str) -> t.Any:
    """Return a value as the host will read it: text may be JSON."""
    try:
        return json_or_text(value, place)
    except MessageError as error:
        raise AnsibleActionFail(str(error)) from None


@contextlib.contextmanager
def kept(content: bytes) -> t.Iterator[str]:
    """Provide the path of a temporary file with this content, readable only by this user."""
    with tempfile.NamedTemporaryFile(prefix="mailops-", dir=DEFAULT_LOCAL_TMP) as stream:
        stream.write(content)
        stream.flush()
        yield stream.name

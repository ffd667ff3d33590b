# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Show the progress of a long task: the module runs in slices, and the controller shows a line after each."""

from __future__ import annotations

import itertools
import time
import typing as t
import uuid

from ansible.errors import AnsibleConnectionFailure

from ansible_collections.mailops.smtp.plugins.module_utils._mailing.handover import SLICE, Slice, take_unfinished

Result = dict[str, t.Any]
#: Seconds of work between two lines; the last value applies to all further lines.
_SLICES = (10, 20, 40, 60)


def run_in_slices(
    run: t.Callable[[dict[str, t.Any]], Result], path: str, show: t.Callable[[str], None], label: str
) -> Result:
    """Run the module until it has finished, and show a line after each slice.

    :param run: calls the module with these options in addition to the task's.
    :param path: the file on the host in which the module keeps its state between calls.
    :param label: the beginning of each line.
    :raises AnsibleConnectionFailure: the connection to the host was lost; the text includes the last progress.
    """
    identity = str(uuid.uuid4())
    began = time.monotonic()
    line = ""
    for seconds in itertools.chain(_SLICES, itertools.repeat(_SLICES[-1])):
        try:
            result = run({SLICE: Slice(identity, seconds, path).option()})
        except AnsibleConnectionFailure as error:
            if line:
                raise AnsibleConnectionFailure(f"{error} Last progress: {line}.") from error
            raise
        progress = take_unfinished(result)
        if progress is None:
            return result
        if progress:
            line = progress_line(progress, time.monotonic() - began)
            show(f"{label}: {line}")
    raise AssertionError("slices never end")


def progress_line(progress: t.Mapping[str, t.Any], elapsed: float) -> str:
    """Return a line with the number of messages done, the rate and the remaining time.

    >>> progress_line({"sent": 1198, "refused": 2, "total": 10000}, 3.0)
    '1,200 of 10,000 messages: 1,198 sent, 2 refused, 400 a second, about 22 s left'

    :param elapsed: seconds since the task began.
    """
    counts = {status: int(progress.get(status) or 0) for status in ("sent", "refused", "deferred", "unknown")}
    done, total = sum(counts.values()), int(progress["total"])
    parts = [f"{count:,} {status}" for status, count in counts.items() if count or status == "sent"]
    if done and elapsed > 0:
        rate = done / elapsed
        parts.append(f"{rate:,.0f} a second" if rate >= 2 else f"{rate * 60:,.0f} a minute")
        parts.append(f"about {_duration((total - done) / rate)} left")
    return f"{done:,} of {total:,} messages: {', '.join(parts)}"


def _duration(seconds: float) -> str:
    if seconds < 100:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 100 else f"{minutes // 60} h {minutes % 60} min"

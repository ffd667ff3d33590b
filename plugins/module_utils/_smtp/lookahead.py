# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An iterator that knows what comes next, so that work on it can begin early."""

from __future__ import annotations

import typing as t
from collections import deque

_T = t.TypeVar("_T")


class Lookahead(t.Iterator[_T]):
    """Takes from a source ahead of its use. A source that fails does so when its turn has come, not before.

    :ivar taken: what was taken and not given yet.
    """

    def __init__(self, source: t.Iterable[_T]) -> None:
        self._source = iter(source)
        self._failure: Exception = StopIteration()
        self._open = True
        self.taken: deque[_T] = deque()

    def peek(self, number: int) -> _T | None:
        """The next, the one after it (2) and so on; None where there is none."""
        while len(self.taken) < number and self._open:
            try:
                self.taken.append(next(self._source))
            except Exception as error:  # noqa: BLE001 - raised when its turn has come
                self._failure, self._open = error, False
        return self.taken[number - 1] if len(self.taken) >= number else None

    def __next__(self) -> _T:
        if self.peek(1) is None:
            raise self._failure
        return self.taken.popleft()

# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Postfix logs of one message, read back (smtp(8), qmgr(8))."""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass

_DELIVERY = re.compile(
    r"(?P<queue_id>[0-9A-Za-z]{6,}): to=<(?P<recipient>[^>]*)>,(?: orig_to=<[^>]*>,)? relay=(?P<relay>[^,]+),"
    r"[^(]* dsn=(?P<dsn>[0-9.]+), status=(?P<status>[a-z-]+) \((?P<text>.*)\)\s*\Z"
)


@dataclass(frozen=True)
class Delivery:
    """One attempt for one recipient.

    :param status: ``sent``, ``deferred``, ``bounced``, ``expired`` or what else Postfix says.
    :param relay: the next hop as ``name[address]:port``, or ``none``.
    :param dsn: enhanced status code (RFC 3463).
    :param text: what the next hop replied, or what went wrong.
    """

    recipient: str
    status: str
    relay: str
    dsn: str
    text: str

    def to_dict(self) -> dict[str, str]:
        """The form a module returns."""
        return dict(vars(self))


@dataclass(frozen=True)
class Trace:
    """All that the log says of one message."""

    deliveries: tuple[Delivery, ...]
    removed: bool

    @property
    def latest(self) -> dict[str, Delivery]:
        """The last attempt for each recipient."""
        return {delivery.recipient: delivery for delivery in self.deliveries}

    @property
    def sent(self) -> bool:
        """Whether the message left the queue with every recipient served."""
        return self.removed and bool(self.deliveries) and all(d.status == "sent" for d in self.latest.values())


def trace(lines: t.Iterable[str], queue_id: str) -> Trace:
    """Pick one message out of log lines, with or without their syslog prefix."""
    deliveries, removed = [], False
    for line in lines:
        match = _DELIVERY.search(line)
        if match and match.group("queue_id") == queue_id:
            fields = match.groupdict()
            del fields["queue_id"]
            deliveries.append(Delivery(**fields))
        elif re.search(rf"\b{re.escape(queue_id)}: removed\s*\Z", line):
            removed = True
    return Trace(tuple(deliveries), removed)

# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When the secret of an upstream expires, and who is told: no provider does it."""

from __future__ import annotations

import datetime
import subprocess
import typing as t

from .._message.to_root import Run, mail_root

#: Days before the end from which logs and the role warn.
_SOON = 30
#: Days before the end on which root gets a mail, and the number from which it is one each day.
_MAILED, _DAILY = (30, 21, 14, 7), 3
_MAIL = """\
The {what} with which this relay gets its OAuth2 tokens for the upstream
{name} {ends}. From then on, mail waits in the queue.

Make a new one at the provider, set it in relay_upstream.oauth, and run the
role mailops.smtp.relay.
"""


class End(t.NamedTuple):
    """The end of a secret.

    :ivar what: ``secret`` or ``certificate``.
    :ivar days: left from today; negative if it has expired.
    """

    what: str
    date: datetime.date
    days: int

    @property
    def soon(self) -> bool:
        """Whether it is time to warn."""
        return self.days <= _SOON

    @property
    def mailed_today(self) -> bool:
        """Whether root gets a mail today."""
        return self.days in _MAILED or self.days <= _DAILY

    def __str__(self) -> str:
        """The second half of a sentence."""
        if self.days < 0:
            return f"expired on {self.date}"
        when = {0: "today", 1: "tomorrow"}.get(self.days, f"in {self.days} days")
        return f"expires on {self.date}, {when}"


def end_of(configured: str, of_certificate: str, today: datetime.date | None = None) -> End | None:
    """Return when the secret expires; None if that is not known.

    :param configured: the date as YYYY-MM-DD that is configured; empty without one.
    :param of_certificate: the date of the certificate that is used in place of a secret; empty without one.
    :param today: in UTC; by default, of the clock.
    """
    date = configured or of_certificate
    if not date:
        return None
    end = datetime.date.fromisoformat(date)
    today = today or datetime.datetime.now(datetime.timezone.utc).date()
    return End("certificate" if of_certificate else "secret", end, (end - today).days)


def tell_root(name: str, end: End | None, log: t.Callable[[str], None], run: Run = subprocess.run) -> bool:
    """Send root a mail if it is the day for it. Meant to be called once a day.

    :returns: whether there was nothing to send, or it was sent.
    """
    if end is None or not end.mailed_today:
        log(
            f"{name}: no mail to root: " + ("no end of the secret is known" if end is None else f"the {end.what} {end}")
        )
        return True
    text = _MAIL.format(name=name, what=end.what, ends=end)
    if problem := mail_root(f"The {end.what} of the upstream {name} {end}", text, run):
        log(f"{name}: failed: the {end.what} {end}, and {problem}")
        return False
    log(f"{name}: root was told by mail that the {end.what} {end}")
    return True

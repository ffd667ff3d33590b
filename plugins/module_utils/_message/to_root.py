# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mail of a relay's programs to root of the same host, by sendmail(1)."""

from __future__ import annotations

import subprocess
import typing as t

_ARGV = ("sendmail", "-i", "-f", "root", "--", "root")

Run = t.Callable[..., "subprocess.CompletedProcess[str]"]


def mail_root(subject: str, body: str, run: Run = subprocess.run) -> str:
    """Send root a mail, and return why that failed, as a sentence without its period; empty if it did not."""
    text = f"To: root\nSubject: {subject}\nAuto-Submitted: auto-generated\n\n{body}"
    try:
        done = run(list(_ARGV), input=text, text=True, errors="replace", check=False, capture_output=True)
    except OSError as error:
        reason = f"{_ARGV[0]} cannot be run: {error.strerror}"
    else:
        reason = "" if not done.returncode else done.stderr.strip() or f"{_ARGV[0]} ended with {done.returncode}"
    return reason and f"root could not be told by mail: {reason}"

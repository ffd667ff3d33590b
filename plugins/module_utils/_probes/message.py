# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The message of a test, which tells its reader what it is."""

from __future__ import annotations

import email.utils


def message(nonce: str, sender: str, recipient: str, ended: bool = True) -> bytes:
    """Return a message with a nonce in its subject and Message-ID, without the final dot.

    :param ended: whether its last line is ended.
    """
    shown = sender if sender.isascii() and "@" in sender else f"postmaster@{recipient.rpartition('@')[2]}"
    lines = [
        f"From: <{shown}>",
        f"To: <{recipient}>",
        f"Subject: Test of a mail server {nonce}",
        f"Date: {email.utils.formatdate()}",
        f"Message-ID: <{nonce}@mailops.invalid>",
        "Auto-Submitted: auto-generated",
        "",
        "The administrator of a mail server tests it with the Ansible collection mailops.smtp.",
    ]
    return ("\r\n".join(lines) + ("\r\n" if ended else "")).encode()

# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Find the file and the line in the messages of programs."""

from __future__ import annotations

import pytest

from ansible_collections.mailops.smtp.plugins.module_utils._transaction.place import find_place

MAIN, MASTER, TABLE = "/etc/postfix/main.cf", "/etc/postfix/master.cf", "/etc/postfix/virtual"

MESSAGES = [
    ("postconf: warning: /etc/postfix/main.cf: unused parameter: smtpd_tls_loglvl=1", (MAIN, None)),
    ("postconf: fatal: /etc/postfix/main.cf, line 5: missing '=' after attribute name", (MAIN, 5)),
    ("postconf: fatal: file /etc/postfix/master.cf: line 12: bad transport type: ient", (MASTER, 12)),
    ("doveconf: Fatal: Error in configuration file /etc/postfix/main.cf line 3: Unknown setting", (MAIN, 3)),
    ("/etc/postfix/virtual:3:5-8: Error: syntax error", (TABLE, 3)),
    ("warning: /etc/postfix/virtual, line 2: expected format: key whitespace value", (TABLE, 2)),
    ("warning: /etc/postfix/virtual.lmdb: duplicate entry", (None, None)),
    ("warning: /etc/postfix/virtual.", (TABLE, None)),
    ("see /chroot/etc/postfix/main.cf:7", (None, None)),
    ("read /etc/postfix/main.cf\n/etc/postfix/master.cf:4: bad", (MASTER, 4)),
    ("exit code 1, no output", (None, None)),
]


@pytest.mark.parametrize(("message", "place"), MESSAGES)
def test_place_in_a_message(message: str, place: tuple[str | None, int | None]) -> None:
    assert find_place(message, [MAIN, MASTER, TABLE]) == place

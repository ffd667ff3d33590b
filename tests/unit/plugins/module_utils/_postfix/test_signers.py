# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An rspamd or OpenDKIM does something if an administrator configured it, or a Postfix asks it."""

from __future__ import annotations

import pytest

from ansible_collections.mailops.smtp.plugins.module_utils._postfix.signers import (
    SIGNERS,
    changed_files,
    find_signer_stops,
)

RSPAMD, OPENDKIM = SIGNERS


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("", []),
        ("??5?????? c /etc/opendkim.conf\n", ["/etc/opendkim.conf"]),  # dpkg
        ("S.5....T.  c /etc/opendkim/KeyTable\n.......T.  c /etc/opendkim.conf\n", ["/etc/opendkim/KeyTable"]),  # rpm
        ("??5??????   /usr/bin/rspamd\nmissing   c /etc/rspamd/cgp.inc\n", []),
    ],
)
def test_changed_files_of_a_package(said: str, expected: list[str]) -> None:
    assert changed_files(said) == expected


@pytest.mark.parametrize(
    ("value", "rspamd", "opendkim"),
    [
        ("inet:localhost:11332", True, False),
        ("unix:/var/run/rspamd/milter.sock", True, False),
        ("inet:localhost:8891", False, True),
        ("inet:[::1]:12301, inet:127.0.0.1:11332", True, True),
        ("local:opendkim/opendkim.sock", False, True),
        ("unix:/run/relay-dkim/milter.sock", False, False),
        ("inet:localhost:113321", False, False),
        ("", False, False),
    ],
)
def test_a_milter_of_postfix_is_known_by_its_address(value: str, rspamd: bool, opendkim: bool) -> None:
    found = [bool(find_signer_stops(signer, [], {"smtpd_milters": value})) for signer in (RSPAMD, OPENDKIM)]
    assert found == [rspamd, opendkim]


def test_each_file_is_named_once() -> None:
    assert find_signer_stops(RSPAMD, ["/b", "/a", "/b"], {}) == ["rspamd with a configuration of its own (/a, /b)"]

# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Versions of Postfix: a parameter is written only for a version that knows it, and in its syntax."""

from __future__ import annotations

import pytest

from ansible_collections.mailops.smtp.tests.unit.support.relay_plans import (
    LOGINS,
    plan,
    service,
)

VERSIONS = [
    ("3.5.25", "2", "!SSLv2, !SSLv3, !TLSv1, !TLSv1.1", True, False),
    ("3.7.5", "3.6", ">=TLSv1.2", False, False),
    ("3.7.11", "3.6", ">=TLSv1.2", True, False),
    ("3.8.5", "3.6", ">=TLSv1.2", True, False),
    ("3.10.13", "3.9", ">=TLSv1.2", True, True),
    ("3.12-20260821", "3.9", ">=TLSv1.2", True, True),
]


@pytest.mark.parametrize(("version", "level", "protocols", "newline", "hide"), VERSIONS)
def test_syntax_follows_the_version(version: str, level: str, protocols: str, newline: bool, hide: bool) -> None:
    made = plan(
        **LOGINS,
        hardening={"smtpd_forbid_bare_newline": "normalize", "smtpd_tls_protocols": ">=TLSv1.2"},
        since={
            "smtpd_forbid_bare_newline": ["3.5.24", "3.6.14", "3.7.10", "3.8.5", "3.9"],
            "smtpd_hide_client_session": ["3.10"],
        },
        postfix={"version": version, "map_types": ["lmdb"]},
    )
    assert made["main"]["compatibility_level"] == level
    assert made["main"]["smtpd_tls_protocols"] == protocols
    assert ("smtpd_forbid_bare_newline" in made["main"]) == newline
    assert ("smtpd_hide_client_session" in service(made, "587")) == hide

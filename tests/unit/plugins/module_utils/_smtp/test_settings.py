# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks of the settings of a session."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.mailops.smtp.plugins.module_utils._sasl.credentials import Credentials
from ansible_collections.mailops.smtp.plugins.module_utils._smtp.settings import InvalidSettings, ServerSettings
from ansible_collections.mailops.smtp.plugins.module_utils._smtp.tls import TlsMode, TlsPolicy


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"host": ""}, "host"),
        ({"host": "a b"}, "host"),
        ({"host": "a\r\nb"}, "host"),
        ({"port": 70000}, "port"),
        ({"timeout": -1}, "time-out"),
        ({"connect_timeout": float("inf")}, "time-out"),
        ({"credentials": Credentials("", "x")}, "username is empty"),
        ({"ehlo_name": "a\r\nMAIL FROM:<x>"}, "ehlo_name"),
        ({"tls": TlsPolicy(TlsMode.NONE), "credentials": Credentials("user", "secret")}, "in clear"),
    ],
)
def test_invalid_settings_are_refused(changes: dict[str, t.Any], words: str) -> None:
    with pytest.raises(InvalidSettings, match=words):
        ServerSettings(**{"host": "localhost", **changes})

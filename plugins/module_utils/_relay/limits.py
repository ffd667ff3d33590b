# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Limits for accepting and delivering mail (``relay_limits``), as a table of Postfix's parameters."""

from __future__ import annotations

import typing as t

from .reader import Options, Reader

#: Numbers: the parameter, its lowest and its highest value.
_NUMBERS: t.Mapping[str, tuple[str, int, int]] = {
    "message_size": ("message_size_limit", 1024, 2**40),
    "recipients": ("smtpd_recipient_limit", 1, 1_000_000),
    "processes": ("default_process_limit", 2, 100_000),
    "client_connections": ("smtpd_client_connection_count_limit", 0, 100_000),
    "client_connection_rate": ("smtpd_client_connection_rate_limit", 0, 1_000_000),
    "client_message_rate": ("smtpd_client_message_rate_limit", 0, 1_000_000),
    "client_recipient_rate": ("smtpd_client_recipient_rate_limit", 0, 1_000_000),
    "client_login_rate": ("smtpd_client_auth_rate_limit", 0, 1_000_000),
    "destination_connections": ("default_destination_concurrency_limit", 1, 100_000),
    "destination_recipients": ("default_destination_recipient_limit", 1, 1_000_000),
}
#: Times: the parameter.
_TIMES: t.Mapping[str, str] = {
    "destination_delay": "default_destination_rate_delay",
    "queue_lifetime": "maximal_queue_lifetime",
    "bounce_lifetime": "bounce_queue_lifetime",
    "delay_warning": "delay_warning_time",
}


def read_limits(reader: Reader, limits: Options) -> dict[str, str]:
    """Read ``relay_limits``, and return the parameters for them."""
    parameters: dict[str, str] = {}
    for name, (parameter, lowest, highest) in _NUMBERS.items():
        number = reader.number(f"relay_limits.{name}", limits.get(name), lowest, highest)
        if number is not None:
            parameters[parameter] = str(number)
    for name, parameter in _TIMES.items():
        duration = reader.duration(f"relay_limits.{name}", limits.get(name))
        if duration is not None:
            parameters[parameter] = duration
    return parameters


def room_for(message_size: int) -> str:
    """Return ``queue_minfree`` for a ``message_size_limit``, in octets; postconf(5) asks for more than 1.5 times it."""
    return str(message_size * 8 // 5)

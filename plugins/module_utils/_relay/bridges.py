# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bridges to upstreams with OAuth2: what the role writes for the programs that fetch tokens and log in with them."""

from __future__ import annotations

import json
import typing as t

from .._oauth.expiry import end_of
from .._oauth.store import STATE_DIRECTORY
from .oauth import OAuth
from .program_files import OAUTH_CONFIG, PROGRAMS
from .transports import Transport

#: The system user that runs both programs.
_USER = "relay-oauth"


def bridge_line(transport: Transport) -> str:
    """Return the entry of master.cf that starts a bridge for each connection."""
    name, most = transport.bridge, transport.upstream.pace.connections
    program = f"user={_USER} argv=/usr/bin/python3 -I {PROGRAMS['oauth'].directory} bridge {name}"
    return f"{name}-socket unix - n n - {most} spawn {program}"


def plan_oauth(transports: t.Iterable[Transport], hostname: str) -> list[dict[str, t.Any]]:
    """Return what the role needs to know of each upstream with OAuth2, without secrets."""
    return [
        {
            "name": one.bridge,
            "file": {
                "path": f"{OAUTH_CONFIG}/{one.bridge}.json",
                "content": _as_json(_bridge_config(one, hostname)),
                "group": _USER,
                "mode": "0640",
            },
            "ends": _ends(oauth),
        }
        for one in transports
        for oauth in filter(None, [one.upstream.oauth])
    ]


def secret_files(transports: t.Iterable[Transport]) -> list[dict[str, str]]:
    """Return the requests of the refresher, each a credential of its unit."""
    return [
        {
            "path": f"{OAUTH_CONFIG}/{one.bridge}.request",
            "secret": _as_json(
                {
                    "name": one.bridge,
                    "state_directory": STATE_DIRECTORY,
                    "username": oauth.username,
                    "oauth": json.loads(oauth.request),
                    "expires": oauth.expires or None,
                }
            ),
            "mode": "0600",
        }
        for one in transports
        for oauth in filter(None, [one.upstream.oauth])
    ]


def _bridge_config(transport: Transport, hostname: str) -> dict[str, t.Any]:
    upstream, server = transport.upstream, transport.upstream.servers[0]
    oauth = t.cast(OAuth, upstream.oauth)
    return {
        "name": transport.bridge,
        "host": server.host,
        "port": server.port,
        "tls": upstream.tls,
        "username": oauth.username,
        "state_directory": STATE_DIRECTORY,
        "helo": hostname,
        "ca_file": upstream.ca_file or None,
        "provider": oauth.provider or None,
    }


def _ends(oauth: OAuth) -> str:
    """Return a sentence without its stop about a secret that expires soon; empty if it does not."""
    end = end_of(oauth.expires, oauth.certificate_expires)
    return f"the {end.what} {end}" if end and end.soon else ""


def _as_json(value: t.Mapping[str, t.Any]) -> str:
    return json.dumps(value, indent=2, sort_keys=True) + "\n"

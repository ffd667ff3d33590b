# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The provider's OAuth2 server as tests see it: its switches, its clients, and the options that log in with them."""

from __future__ import annotations

import json
import shlex
import typing as t

from ansible_collections.mailops.smtp.tests.lab.suite.plays import LAB

TOKEN_URL = "https://login.provider.test/lab/oauth2/v2.0/token"
SERVICE = "service@project.provider.test"


def order(provider: t.Any, **switches: t.Any) -> dict[str, t.Any]:
    """Change switches of the token server; return all of them, with the counts of requests."""
    command = f"python3 /srv/lab/token_server.py {shlex.quote(json.dumps(switches))}"
    return dict(json.loads(provider.check_output(command)))


def pem(name: str, suffix: str = "pem") -> str:
    """Return the certificate or, with the suffix ``key``, the key of a signer; the certificate without its chain."""
    text = (LAB / f"pki/{name}.{suffix}").read_text()
    end = "-----END CERTIFICATE-----\n"
    return text if suffix == "key" else text.partition(end)[0] + end


def service_account() -> str:
    """Return the JSON key file of the service account, in the form of Google."""
    fields = {
        "type": "service_account",
        "project_id": "project",
        "private_key_id": "1",
        "private_key": pem("service.provider.test", "key"),
        "client_email": SERVICE,
        "client_id": "1",
        "token_uri": TOKEN_URL,
    }
    return json.dumps(fields)


def ways(passwords: t.Mapping[str, str]) -> dict[str, dict[str, t.Any]]:
    """Return the option ``oauth`` of each way to get a token."""
    app = {"token_url": TOKEN_URL, "client_id": "app"}
    return {
        "client_secret": {**app, "client_secret": passwords["app.secret"]},
        "refresh_token": {**app, "refresh_token": passwords["app.refresh_token"]},
        "certificate": {
            **app,
            "certificate": pem("app.provider.test"),
            "private_key": pem("app.provider.test", "key"),
        },
        "service_account": {"token_url": TOKEN_URL, "service_account": service_account()},
    }

# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options ``oauth`` and ``auth_mechanism``, and the token they lead to."""

from __future__ import annotations

import typing as t

from ansible.module_utils.basic import AnsibleModule

#: Documented in the doc fragment ``_smtp_oauth``.
OAUTH_ARGUMENTS: dict[str, t.Any] = {
    "auth_mechanism": {
        "type": "str",
        "choices": [
            *("SCRAM-SHA-256-PLUS", "SCRAM-SHA-1-PLUS", "SCRAM-SHA-256", "SCRAM-SHA-1", "CRAM-MD5", "PLAIN", "LOGIN"),
            *("OAUTHBEARER", "XOAUTH2", "EXTERNAL"),
        ],
    },
    "oauth": {
        "type": "dict",
        "options": {
            "token": {"type": "str", "no_log": True},
            "provider": {"type": "str", "choices": ["microsoft", "google"]},
            "token_url": {"type": "str", "no_log": False},
            "grant": {"type": "str", "choices": ["client_credentials", "refresh_token"]},
            "client_id": {"type": "str"},
            "client_secret": {"type": "str", "no_log": True},
            "refresh_token": {"type": "str", "no_log": True},
            "tenant": {"type": "str"},
            "scope": {"type": "str"},
            "ca_file": {"type": "path"},
            "timeout": {"type": "float", "default": 30.0},
        },
        "required_one_of": [("token", "provider", "token_url")],
        "mutually_exclusive": [
            ("token", "provider", "token_url"),
            ("token", "client_id"),
            ("token", "client_secret"),
            ("token", "refresh_token"),
        ],
        "required_by": {"provider": ["client_id"], "token_url": ["client_id"]},
    },
}


def oauth_token(module: AnsibleModule) -> str | None:
    """The access token that the option ``oauth`` gives or leads to, hidden from whatever the module returns.

    :returns: None without the option.
    :raises OAuthError: there is none to be had; the text is a sentence without secrets.
    """
    options = module.params["oauth"]
    if options is None:
        return None
    token: str = options["token"]
    if not token:
        from .token import fetch_token, token_client

        token = fetch_token(token_client(options), options["ca_file"], options["timeout"]).token
    module.no_log_values.add(token)
    return token

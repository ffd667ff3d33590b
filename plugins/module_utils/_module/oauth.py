# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options ``oauth`` and ``auth_mechanism``, and the fetching of a token by HTTPS."""

from __future__ import annotations

import http.client
import typing as t
import urllib.error

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.urls import ConnectionError as UrlConnectionError
from ansible.module_utils.urls import open_url

from .._smtp.auth import MECHANISMS
from .._smtp.oauth import (
    PROVIDERS,
    AccessToken,
    BadTokenAnswer,
    Grant,
    OAuthError,
    TokenClient,
    TokenServerUnreachable,
)

Options = t.Mapping[str, t.Any]

#: A real answer has two thousand octets.
_MAX_ANSWER = 262_144

#: Documented in the doc fragment ``_smtp_oauth``.
OAUTH_ARGUMENTS: dict[str, t.Any] = {
    "auth_mechanism": {"type": "str", "choices": [mechanism.name for mechanism in MECHANISMS]},
    "oauth": {
        "type": "dict",
        "options": {
            "token": {"type": "str", "no_log": True},
            "provider": {"type": "str", "choices": list(PROVIDERS)},
            "token_url": {"type": "str", "no_log": False},
            "grant": {"type": "str", "choices": [grant.value for grant in Grant]},
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
    token: str = options["token"] or fetch_token(token_client(options), options["ca_file"], options["timeout"]).token
    module.no_log_values.add(token)
    return token


def token_client(options: Options) -> TokenClient:
    """The client that the option describes; without ``grant``, what the given secrets are for.

    :raises InvalidTokenClient: options that contradict each other.
    """
    usual = Grant.REFRESH_TOKEN if options["refresh_token"] else Grant.CLIENT_CREDENTIALS
    grant = Grant(options["grant"] or usual)
    client_id, client_secret, refresh_token = options["client_id"], options["client_secret"], options["refresh_token"]
    if options["token_url"]:
        scope = options["scope"] or ""
        return TokenClient(options["token_url"], grant, client_id, client_secret, refresh_token, scope)
    return TokenClient.of_provider(
        options["provider"], grant, client_id, client_secret, refresh_token, options["scope"], options["tenant"]
    )


def fetch_token(client: TokenClient, ca_file: str | None = None, timeout: float = 30.0) -> AccessToken:
    """Ask for a token, once.

    :param ca_file: trusted authorities in PEM in place of the system's.
    :param timeout: seconds without a sign of life.
    :raises OAuthError: there is none to be had.
    """
    problem: OAuthError
    try:
        return client.read_answer(*_post(client, ca_file, timeout))
    except urllib.error.URLError as error:
        problem = _unreachable(client, error.reason)
    except (OSError, UrlConnectionError) as error:
        problem = _unreachable(client, error)
    except (http.client.HTTPException, ValueError) as error:
        problem = BadTokenAnswer(f"the token server {client.host} does not speak HTTP: {type(error).__name__}")
    raise problem


def _post(client: TokenClient, ca_file: str | None, timeout: float) -> tuple[int, bytes]:
    """Send the request to its URL and nowhere else: no redirects, no other login, no proxy in clear."""
    request = client.request()
    try:
        with open_url(
            request.url,
            data=request.body,
            headers=dict(request.headers),
            method="POST",
            timeout=timeout,
            ca_path=ca_file,
            follow_redirects="no",
            use_proxy=request.url.startswith("https:"),
            use_netrc=False,
            http_agent="mailops.smtp",
        ) as answer:
            return answer.status, answer.read(_MAX_ANSWER)
    except urllib.error.HTTPError as refusal:
        with refusal:
            return refusal.code, refusal.read(_MAX_ANSWER)


def _unreachable(client: TokenClient, reason: object) -> TokenServerUnreachable:
    words = getattr(reason, "verify_message", None) or getattr(reason, "strerror", None) or str(reason)
    return TokenServerUnreachable(f"no token from {client.host}: {client.scrub(str(words)) or type(reason).__name__}")

# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A token for a login, fetched by HTTPS.

By urllib, with the same authorities and TLS versions as for a mail server: the file of ``open_url`` is as large as a
fifth of all that this collection sends to a host, and each task would carry it there.
"""

from __future__ import annotations

import http.client
import typing as t
import urllib.error
import urllib.request

from .._smtp.errors import OAuthError
from .._smtp.oauth import AccessToken, BadTokenAnswer, Grant, TokenClient, TokenServerUnreachable
from .._smtp.tls import TlsPolicy

Options = t.Mapping[str, t.Any]

#: A real answer has two thousand octets.
_MAX_ANSWER = 262_144


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
    except OSError as error:
        problem = _unreachable(client, error)
    except (http.client.HTTPException, ValueError) as error:
        problem = BadTokenAnswer(f"the token server {client.host} does not speak HTTP: {type(error).__name__}")
    raise problem


def _post(client: TokenClient, ca_file: str | None, timeout: float) -> tuple[int, bytes]:
    """Send the request to its URL and nowhere else: no redirects, no proxy in clear."""
    request = client.request()
    in_clear = not request.url.lower().startswith("https:")
    opener = urllib.request.build_opener(
        urllib.request.HTTPSHandler(context=TlsPolicy(ca_file=ca_file).context()),
        urllib.request.ProxyHandler({} if in_clear else None),
        _NoRedirects(),
    )
    opener.addheaders = [("User-Agent", "mailops.smtp"), *request.headers.items()]
    try:
        with opener.open(request.url, request.body, timeout) as answer:
            return answer.status, answer.read(_MAX_ANSWER)
    except urllib.error.HTTPError as refusal:
        with refusal:
            return refusal.code, refusal.read(_MAX_ANSWER)


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """A redirect is an answer like any other: the request holds secrets."""

    def redirect_request(self, *_arguments: t.Any) -> None:
        """Not followed."""


def _unreachable(client: TokenClient, reason: object) -> TokenServerUnreachable:
    words = getattr(reason, "verify_message", None) or getattr(reason, "strerror", None) or str(reason)
    return TokenServerUnreachable(f"no token from {client.host}: {client.scrub(str(words)) or type(reason).__name__}")

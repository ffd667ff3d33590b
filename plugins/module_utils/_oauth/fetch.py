# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The request for an access token over HTTPS; the only file that fetches tokens.

It uses urllib, with the TLS policy of SMTP sessions. Ansible's ``open_url`` would add a file to every task that is as
large as a fifth of all that this collection sends to a host, and a relay has no Ansible.
"""

from __future__ import annotations

import http.client
import threading
import typing as t
import urllib.error
import urllib.request

from .._sasl.oauth import AccessToken, BadTokenAnswer, OAuthError, TokenClient, TokenServerUnreachable
from .._sasl.scrubbing import passwords_in
from .._smtp.tls import TlsPolicy

#: In octets; a real answer has about two thousand.
_MAX_ANSWER = 262_144


def fetch_token(
    client: TokenClient, ca_file: str | None = None, timeout: float = 30.0, total: float = 120.0
) -> AccessToken:
    """Request a token, once.

    :param ca_file: trusted authorities in PEM in place of the system's.
    :param timeout: seconds to wait for data from the server, each time.
    :param total: seconds for the whole answer, however slowly it arrives.
    :raises OAuthError: no token was obtained.
    """
    results: list[AccessToken | OAuthError] = []

    def attempt() -> None:
        try:
            results.append(_fetch(client, ca_file, timeout))
        except OAuthError as error:
            results.append(error)

    thread = threading.Thread(target=attempt, daemon=True)
    thread.start()
    thread.join(total)
    result = results[0] if results else _unreachable(client, f"no complete answer within {total:g} s")
    if isinstance(result, AccessToken):
        return result
    raise result


def proxy_passwords() -> t.Iterator[str]:
    """Yield the passwords of the proxies that urllib takes from the environment."""
    for proxy in urllib.request.getproxies().values():
        yield from passwords_in(proxy)


def _fetch(client: TokenClient, ca_file: str | None, timeout: float) -> AccessToken:
    problem: OAuthError
    try:
        return client.read_answer(*_post(client, ca_file, timeout))
    except OAuthError:
        raise
    except urllib.error.URLError as error:
        problem = _unreachable(client, error.reason)
    except OSError as error:
        problem = _unreachable(client, error)
    except (http.client.HTTPException, ValueError) as error:
        problem = BadTokenAnswer(
            f"the token server {client.host} does not speak HTTP: {type(error).__name__}; check token_url"
        )
    raise problem


def _post(client: TokenClient, ca_file: str | None, timeout: float) -> tuple[int, bytes, str]:
    """Send the request to its URL only: without redirects, and without a proxy for plain HTTP.

    :returns: status, body and the server's date.
    """
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
            return answer.status, answer.read(_MAX_ANSWER), answer.headers.get("Date", "")
    except urllib.error.HTTPError as refusal:
        with refusal:
            return refusal.code, refusal.read(_MAX_ANSWER), refusal.headers.get("Date", "")


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """Treats a redirect as the final answer, since the request contains secrets."""

    def redirect_request(self, *_arguments: t.Any) -> None:
        """Return None, so that the redirect is not followed."""


def _unreachable(client: TokenClient, reason: object) -> TokenServerUnreachable:
    words = getattr(reason, "verify_message", None) or getattr(reason, "strerror", None) or str(reason)
    return TokenServerUnreachable(f"no token from {client.host}: {client.scrub(str(words)) or type(reason).__name__}")

# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The option ``oauth``: an access token for a login, given by the user or fetched over HTTPS.

The request uses urllib, with the TLS policy of SMTP sessions. Ansible's ``open_url`` would add a file to every task
that is as large as a fifth of all that this collection sends to a host.
"""

from __future__ import annotations

import http.client
import typing as t
import urllib.error
import urllib.request

from .._sasl.oauth import AccessToken, BadTokenAnswer, Grant, OAuthError, TokenClient, TokenServerUnreachable
from .._sasl.scrubbing import passwords_in
from .._smtp.tls import TlsPolicy, check_files
from .secrets import hide

if t.TYPE_CHECKING:
    from ansible.module_utils.basic import AnsibleModule

Options = t.Mapping[str, t.Any]

#: In octets; a real answer has about two thousand.
_MAX_ANSWER = 262_144


def oauth_token(module: AnsibleModule) -> str | None:
    """Return the access token of the option ``oauth``, given or fetched, and hide it from the module's results.

    :returns: None without the option.
    :raises OAuthError: no token was obtained; the text is a sentence without secrets.
    """
    options = module.params["oauth"]
    if options is None:
        return None
    if options["ca_file"]:
        check_files(TlsPolicy(ca_file=options["ca_file"]), "oauth.ca_file")
    token: str = options["token"]
    if not token:
        # urllib takes a proxy from the environment
        hide(module, (secret for proxy in urllib.request.getproxies().values() for secret in passwords_in(proxy)))
        token = fetch_token(token_client(options), options["ca_file"], options["timeout"]).token
    hide(module, [token])
    return token


def token_client(options: Options) -> TokenClient:
    """Return the client that the option describes; without ``grant``, the secrets decide the grant.

    :raises InvalidTokenClient: the options contradict each other.
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
    """Request a token, once.

    :param ca_file: trusted authorities in PEM in place of the system's.
    :param timeout: seconds to wait for data from the server, each time.
    :raises OAuthError: no token was obtained.
    """
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


def _post(client: TokenClient, ca_file: str | None, timeout: float) -> tuple[int, bytes]:
    """Send the request to its URL only: without redirects, and without a proxy for plain HTTP."""
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
    """Treats a redirect as the final answer, since the request contains secrets."""

    def redirect_request(self, *_arguments: t.Any) -> None:
        """Return None, so that the redirect is not followed."""


def _unreachable(client: TokenClient, reason: object) -> TokenServerUnreachable:
    words = getattr(reason, "verify_message", None) or getattr(reason, "strerror", None) or str(reason)
    return TokenServerUnreachable(f"no token from {client.host}: {client.scrub(str(words)) or type(reason).__name__}")

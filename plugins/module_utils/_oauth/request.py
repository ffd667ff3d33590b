# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The option ``oauth`` as the client that it describes, for modules and for the refresher of a relay."""

from __future__ import annotations

import json
import typing as t

from .._sasl.jwt import ClientCertificate, InvalidSigner, ServiceAccount, Signer
from .._sasl.oauth import Grant, InvalidTokenClient, TokenClient

Options = t.Mapping[str, t.Any]

#: Grant -> secrets of other grants: with them, two ways to get a token would be given.
_UNUSED: t.Mapping[Grant, t.Sequence[str]] = {
    Grant.CLIENT_CREDENTIALS: ("refresh_token",),
    Grant.SERVICE_ACCOUNT: ("client_secret", "refresh_token"),
}


def token_client(options: Options, username: str = "") -> TokenClient:
    """Return the client that the option describes; without ``grant``, the secrets decide the grant.

    :param options: the suboptions; one that is missing or None is not set.
    :param username: of the login, for whom a service account acts.
    :raises InvalidTokenClient: the options contradict each other, or cannot be used.
    """
    usual = Grant.REFRESH_TOKEN if options.get("refresh_token") else Grant.CLIENT_CREDENTIALS
    usual = Grant.SERVICE_ACCOUNT if options.get("service_account") else usual
    grant = Grant(options.get("grant") or usual)
    for name in _UNUSED.get(grant, ()):
        if options.get(name):
            raise InvalidTokenClient(f"{name} does not fit grant {grant.value}; remove one of them")
    signer = _signer(options, username)
    client_id, client_secret = options.get("client_id") or "", options.get("client_secret")
    refresh_token, scope = options.get("refresh_token"), options.get("scope")
    if options.get("token_url"):
        url = options["token_url"]
        return TokenClient(url, grant, client_id, client_secret, refresh_token, scope or "", signer)
    provider = options.get("provider") or ""
    return TokenClient.of_provider(
        provider, grant, client_id, client_secret, refresh_token, scope, options.get("tenant"), signer
    )


def private_keys(options: Options) -> t.Iterator[str]:
    """Yield the private keys that the options contain, to hide them: each as a whole, and line by line."""
    account = options.get("service_account")
    facts: t.Any = account
    if isinstance(account, str):
        try:
            facts = json.loads(account.lstrip("\ufeff"))
        except (ValueError, RecursionError):
            facts = None
    for key in (options.get("private_key"), facts.get("private_key") if isinstance(facts, dict) else None):
        if isinstance(key, str):
            yield key
            yield from (line for line in key.splitlines() if line and not line.startswith("-----"))


def _signer(options: Options, username: str) -> Signer | None:
    certificate, key, account = (options.get(name) for name in ("certificate", "private_key", "service_account"))
    if account and (certificate or key):
        raise InvalidTokenClient("service_account and certificate are both set; set only one of them")
    if key and not certificate:
        raise InvalidTokenClient("private_key needs certificate; set both, or client_secret")
    try:
        if account:
            return ServiceAccount.read(account if isinstance(account, str) else json.dumps(account), username)
        if certificate:
            return ClientCertificate(certificate, key or certificate)
    except InvalidSigner as error:
        raise InvalidTokenClient(str(error)) from None
    return None

# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The option ``oauth``: an access token for a login, given by the user or fetched over HTTPS."""

from __future__ import annotations

import typing as t

from .._oauth.fetch import fetch_token, proxy_passwords
from .._oauth.request import private_keys, token_client
from .._smtp.tls import TlsPolicy, check_files
from .secrets import hide

if t.TYPE_CHECKING:
    from ansible.module_utils.basic import AnsibleModule

#: Seconds for the whole answer, however slowly it arrives.
_TOTAL = 120.0


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
        hide(module, [*proxy_passwords(), *private_keys(options)])
        client = token_client(options, module.params.get("username") or "")
        token = fetch_token(client, options["ca_file"], options["timeout"], max(_TOTAL, options["timeout"])).token
    hide(module, [token])
    return token

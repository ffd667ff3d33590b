# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why a token server refuses, and what to do about it, as a table for errors, logs and docs/providers.md.

Only words depend on it: Microsoft may change its codes, and says so.
"""

from __future__ import annotations

import re
import typing as t


class TokenRefusal(t.NamedTuple):
    """One reason of a token server.

    :param reason: the error code of RFC 6749 section 5.2, or the code at the beginning of Microsoft's description.
    :param advice: what is wrong and what to do, without the final full stop.
    :param service_account: whether it is meant for a service account of Google only.
    """

    reason: str
    advice: str
    service_account: bool = False


_CONSENT = "have the user consent again, then set refresh_token to the new one"

#: The first one that fits counts. Microsoft's codes: learn.microsoft.com/entra/identity-platform/reference-error-codes
TOKEN_REFUSALS = (
    TokenRefusal(
        "AADSTS7000215",
        "client_secret is not a secret of this application; set it to the value that Entra shows once when the secret"
        " is made, not to its ID",
    ),
    TokenRefusal(
        "AADSTS7000222",
        "client_secret has expired; make a new one in Entra under Certificates & secrets, and set client_secret to it",
    ),
    TokenRefusal(
        "AADSTS7000218",
        "the application is not a public client; set client_secret, or allow public client flows in Entra",
    ),
    TokenRefusal("AADSTS700016", "the tenant has no application with this ID; check client_id and tenant"),
    TokenRefusal(
        "AADSTS700027",
        "Entra does not know this certificate; upload it to the application under Certificates & secrets",
    ),
    TokenRefusal("AADSTS700082", f"the refresh token was not used for 90 days; {_CONSENT}"),
    TokenRefusal("AADSTS90002", "the tenant does not exist; check tenant"),
    TokenRefusal("AADSTS65001", "consent is missing; grant admin consent to the permissions of the application"),
    TokenRefusal("AADSTS50173", f"the password of the user has changed; {_CONSENT}"),
    TokenRefusal("AADSTS50076", f"the tenant requires multi-factor authentication; {_CONSENT}"),
    TokenRefusal(
        "AADSTS53003",
        "a Conditional Access policy refuses the token; have an administrator allow the application or this host",
    ),
    TokenRefusal(
        "invalid_grant",
        "check that username is a user of the domain, and that the service account's key still exists",
        service_account=True,
    ),
    TokenRefusal(
        "unauthorized_client",
        "allow the service account the scope https://mail.google.com/ in Google's admin console, under domain-wide"
        " delegation; a change there takes up to a day",
        service_account=True,
    ),
    TokenRefusal("invalid_client", "check client_id and client_secret or certificate; the secret may have expired"),
    TokenRefusal("invalid_grant", f"the refresh token has expired or was revoked; {_CONSENT}"),
    TokenRefusal("unauthorized_client", "this client may not use this grant; check its registration, or change grant"),
    TokenRefusal("unsupported_grant_type", "the server does not support this grant; change grant"),
    TokenRefusal("invalid_scope", "the client or the user did not consent to this scope; check scope"),
)


def token_advice(error: str, description: str, service_account: bool) -> str:
    """Return what to do about a refusal; empty if the reason is not known."""
    found = re.match(r"AADSTS\d+", description)
    reasons = (error, found.group() if found else "")
    fitting = (
        one.advice
        for one in TOKEN_REFUSALS
        if one.reason in reasons and one.service_account in (False, service_account)
    )
    return next(fitting, "")

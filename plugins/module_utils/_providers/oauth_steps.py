# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What to do at a provider before it grants OAuth2 tokens for SMTP, step by step, as data."""

from __future__ import annotations

import typing as t


class Way(t.NamedTuple):
    """One way to get tokens from a provider.

    :param title: what it is for, as a heading.
    :param steps: what an administrator does, in order, in Markdown.
    :param options: the options of ``oauth`` that result, without ``provider``.
    :param sources: the pages that the steps are from.
    """

    title: str
    steps: tuple[str, ...]
    options: tuple[str, ...]
    sources: tuple[str, ...]


_ENTRA = "https://learn.microsoft.com/exchange/client-developer/legacy-protocols/how-to-authenticate-an-imap-pop-smtp-application-by-using-oauth"

#: Provider of tokens -> its ways, the one for a relay first.
OAUTH_STEPS: t.Mapping[str, tuple[Way, ...]] = {
    "microsoft": (
        Way(
            "an application without a user, for relays and pipelines (Microsoft 365 only)",
            (
                (
                    "In the [Entra admin center](https://entra.microsoft.com) under App registrations, register an"
                    " application; it needs no redirect URI. Note the application (client) ID and the directory"
                    " (tenant) ID."
                ),
                (
                    "Under API permissions, choose Add a permission, APIs my organization uses, Office 365 Exchange"
                    " Online, Application permissions, and add `SMTP.SendAsApp`. Then grant admin consent."
                ),
                (
                    "Under Certificates & secrets, upload a certificate with an RSA key, or create a client secret and"
                    " copy its value, which is shown once; its ID is of no use. Note when it ends; Microsoft sends no"
                    " warning."
                ),
                (
                    "Under Enterprise applications, open the same application and note its object ID. The app"
                    " registration has another object ID, with which every login is refused (535 5.7.3)."
                ),
                (
                    "In PowerShell with the module `ExchangeOnlineManagement`, as an Exchange administrator after"
                    " `Connect-ExchangeOnline`, run `New-ServicePrincipal -AppId CLIENT_ID -ObjectId"
                    " ENTERPRISE_OBJECT_ID`, then `Add-MailboxPermission -Identity relay@example.com -User"
                    " ENTERPRISE_OBJECT_ID -AccessRights FullAccess`. The browser cannot do this. A new permission"
                    " takes up to an hour; until then the reply is 430 4.2.0."
                ),
                (
                    "Turn Authenticated SMTP on for the mailbox: `Set-CASMailbox -Identity relay@example.com"
                    " -SmtpClientAuthenticationDisabled $false`."
                ),
                "Set `username` to the mailbox. It may be a shared one.",
            ),
            ("tenant", "client_id", "client_secret, or certificate and private_key"),
            (_ENTRA,),
        ),
        Way(
            "a user who consents once",
            (
                (
                    "Register an application as above, with the delegated permissions `SMTP.Send` and `offline_access`"
                    " of Microsoft Graph. Under Authentication, allow public client flows."
                ),
                (
                    "Ask for a code: `curl -d client_id=CLIENT_ID -d 'scope=https://outlook.office.com/SMTP.Send"
                    " offline_access' https://login.microsoftonline.com/TENANT/oauth2/v2.0/devicecode`. The user of"
                    " the mailbox enters `user_code` of the answer at its `verification_uri`, and consents."
                ),
                (
                    "Get the tokens within 15 minutes: `curl -d client_id=CLIENT_ID -d"
                    " grant_type=urn:ietf:params:oauth:grant-type:device_code -d device_code=DEVICE_CODE"
                    " https://login.microsoftonline.com/TENANT/oauth2/v2.0/token`. Keep the `refresh_token` of the"
                    " answer in the vault. It ends if it is not used for 90 days, and when a policy of the tenant says"
                    " so."
                ),
            ),
            (
                "client_id",
                "tenant, or common by default",
                "client_secret, unless the client is public",
                "refresh_token",
            ),
            (_ENTRA, "https://learn.microsoft.com/entra/identity-platform/v2-oauth2-device-code"),
        ),
    ),
    "google": (
        Way(
            "a service account with domain-wide delegation, for relays and pipelines (Workspace only)",
            (
                (
                    "In the [Google Cloud console](https://console.cloud.google.com) under IAM & Admin, Service"
                    " Accounts, create a service account in a project. Under Keys, create one in the form JSON; new"
                    " organisations forbid that until the policy"
                    " `iam.disableServiceAccountKeyCreation` is lifted."
                ),
                (
                    "In the Admin console under Security, Access and data control, API controls, Domain-wide"
                    " delegation, add the client ID of the service account (`client_id` in the JSON file, a number)"
                    " with the scope `https://mail.google.com/`. It takes up to a day, mostly minutes."
                ),
                "Set `username` to the mailbox that the service account sends for.",
            ),
            ("service_account",),
            ("https://developers.google.com/identity/protocols/oauth2/service-account",),
        ),
        Way(
            "a user who consents once",
            (
                (
                    "In the Google Cloud console, configure the consent screen and publish the app. In the state"
                    " Testing, each refresh token ends after 7 days."
                ),
                (
                    "Create an OAuth client ID of the type Web application, with the redirect URI"
                    " `https://developers.google.com/oauthplayground`."
                ),
                (
                    "Open <https://developers.google.com/oauthplayground>. In its settings, choose Use your own OAuth"
                    " credentials. Let the user of the mailbox authorise the scope `https://mail.google.com/`, exchange"
                    " the code for tokens, and keep the refresh token in the vault. It ends after 6 months without use,"
                    " and when the password of the account changes."
                ),
            ),
            ("client_id", "client_secret", "refresh_token"),
            ("https://developers.google.com/identity/protocols/oauth2",),
        ),
    ),
}

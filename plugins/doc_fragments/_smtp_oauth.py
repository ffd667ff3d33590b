# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options of the login mechanism and of OAuth2. Private to the collection: it may change at any time."""

from __future__ import annotations


class ModuleDocFragment:
    # Describes OAUTH_ARGUMENTS in module_utils/_module/server.py.
    DOCUMENTATION = r"""
options:
  auth_mechanism:
    description:
      - The only SASL mechanism to log in with. The task fails if the server does not offer it.
      - By default, the strongest mechanism that the server offers and that fits the login, in the order of the
        choices. Mechanisms that tie the login to the certificate are used only if named here, as servers differ in how
        they expect it to be tied.
      - The login is tried only once, as each further attempt counts towards a lock-out.
    type: str
    choices:
      SCRAM-SHA-256-PLUS: As SCRAM-SHA-256, and the login is tied to the TLS certificate (RFC 7677).
      SCRAM-SHA-1-PLUS: As SCRAM-SHA-256-PLUS, with another hash (RFC 5802).
      SCRAM-SHA-256: Client and server prove that they know the password without sending it (RFC 7677).
      SCRAM-SHA-1: As SCRAM-SHA-256, with another hash (RFC 5802).
      CRAM-MD5: The client proves that it knows the password without sending it (RFC 2195). The server has to store the
        password in clear.
      PLAIN: The password is sent inside TLS (RFC 4616).
      LOGIN: The password is sent inside TLS, in an old form that some servers still require.
      OAUTHBEARER: The token of O(oauth) is sent inside TLS (RFC 7628).
      XOAUTH2: The token of O(oauth) is sent inside TLS, in the form of Google and Microsoft.
      EXTERNAL: The client certificate of the TLS connection is the login (RFC 4422). Used only if it is named here,
        together with O(client_cert).
  oauth:
    description:
      - Log in with an OAuth2 access token instead of a password. The token is given or fetched.
      - A token is fetched once per task, from O(oauth.provider) or O(oauth.token_url), before the connection is opened.
    type: dict
    suboptions:
      token:
        description: Access token to log in with, used as it is.
        type: str
      provider:
        description: Provider of the token server. Sets its URL and the scope for SMTP.
        type: str
        choices:
          microsoft: Microsoft 365 and Outlook.com.
          google: Gmail and Google Workspace, with a refresh token or a service account.
      token_url:
        description: URL of any other token server. It must use HTTPS, unless the server is on the sending host.
        type: str
      grant:
        description:
          - How the application is authorised to get a token.
          - By default, V(service_account) if O(oauth.service_account) is set, V(refresh_token) if
            O(oauth.refresh_token) is set, otherwise V(client_credentials).
        type: str
        choices:
          client_credentials: As the application itself (RFC 6749 section 4.4). Needs O(oauth.client_secret), or
            O(oauth.certificate) with O(oauth.private_key).
          refresh_token: For a user who consented once (RFC 6749 section 6). Needs O(oauth.refresh_token). If the server
            sends a new refresh token, the new one is discarded.
          service_account: For O(username), by a service account of Google with domain-wide delegation (RFC 7523 section
            2.1). Needs O(oauth.service_account).
      client_id:
        description: ID of the application at the provider. Required to fetch a token, except with a service account.
        type: str
      client_secret:
        description: Secret of the application.
        type: str
      refresh_token:
        description: Refresh token of the user.
        type: str
      certificate:
        description:
          - Certificate of the application in Microsoft Entra, in place of O(oauth.client_secret), as the text of its
            PEM file.
          - The sending host needs C(openssl), which signs the proof.
        type: str
      private_key:
        description: Key of O(oauth.certificate) as the text of its PEM file, RSA and without a pass phrase. Not needed
          if O(oauth.certificate) contains it.
        type: str
      service_account:
        description:
          - Key of a service account of Google Workspace, as the text of the JSON file that Google gave.
          - The service account needs domain-wide delegation for the scope V(https://mail.google.com/).
          - The sending host needs C(openssl), which signs the proof.
        type: jsonarg
      tenant:
        description:
          - ID or domain of the Microsoft tenant.
          - Required with O(oauth.grant=client_credentials). Otherwise the default is V(common).
        type: str
      scope:
        description: Scope to request, in place of the provider's scope for SMTP.
        type: str
      ca_file:
        description: PEM file with the certificate authorities to trust for the token server, in place of the system's.
        type: path
      timeout:
        description: Seconds to wait for the token server.
        type: float
        default: 30.0
"""

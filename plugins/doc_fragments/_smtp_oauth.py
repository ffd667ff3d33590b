# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options of the login by token. Private to the collection: it may change at any time."""

from __future__ import annotations


class ModuleDocFragment:
    # Describes OAUTH_ARGUMENTS in module_utils/_module/server.py.
    DOCUMENTATION = r"""
options:
  auth_mechanism:
    description:
      - SASL mechanism to log in with, and no other. The task fails if the server does not offer it.
      - Without it, the strongest that the server offers and the login can use, in the order of the choices. Those that
        tie the login to the certificate are used only when named, as servers differ in how they want it tied.
      - There is one attempt, as every further one counts towards a lock-out.
    type: str
    choices:
      SCRAM-SHA-256-PLUS: The password is proven, never sent, and the login tied to the TLS certificate (RFC 7677).
      SCRAM-SHA-1-PLUS: As SCRAM-SHA-256-PLUS, with another hash (RFC 5802).
      SCRAM-SHA-256: The password is proven, never sent, and the server must prove that it knows it (RFC 7677).
      SCRAM-SHA-1: As SCRAM-SHA-256, with another hash (RFC 5802).
      CRAM-MD5: The password is proven, never sent (RFC 2195). The server keeps it in clear.
      PLAIN: The password is sent, inside TLS (RFC 4616).
      LOGIN: The password is sent, inside TLS, by an old exchange that some servers still ask for.
      OAUTHBEARER: The token of O(oauth) is sent, inside TLS (RFC 7628).
      XOAUTH2: The token of O(oauth) is sent, inside TLS, as Google and Microsoft have it.
      EXTERNAL: The client certificate of the TLS connection is the login (RFC 4422). Used when there is no password and
        no token, or when named here.
  oauth:
    description:
      - Log in with an OAuth2 access token in place of a password, given or fetched.
      - A token is fetched before the connection is opened, from O(oauth.provider) or O(oauth.token_url), once a task.
    type: dict
    suboptions:
      token:
        description: Access token to log in with as it is.
        type: str
      provider:
        description: Whose token server to ask. Sets its URL and the scope for SMTP.
        type: str
        choices:
          microsoft: Microsoft 365 and Outlook.com.
          google: Gmail and Google Workspace, with a refresh token.
      token_url:
        description: URL of the token server, for any other. It must be HTTPS, but for a server on the sending host.
        type: str
      grant:
        description: How to ask. Without it, V(refresh_token) where O(oauth.refresh_token) is given.
        type: str
        choices:
          client_credentials: As the application itself (RFC 6749 section 4.4). Needs O(oauth.client_secret).
          refresh_token: For a user who consented once (RFC 6749 section 6). Needs O(oauth.refresh_token). A new refresh
            token that the server sends along is not kept.
      client_id:
        description: The application, as the provider registered it. Needed to fetch a token.
        type: str
      client_secret:
        description: Secret of the application.
        type: str
      refresh_token:
        description: Refresh token of the user.
        type: str
      tenant:
        description:
          - Id or domain of the Microsoft tenant.
          - Needed with O(oauth.grant=client_credentials), V(common) otherwise.
        type: str
      scope:
        description: What to ask for, in place of the provider's scope for SMTP.
        type: str
      ca_file:
        description: File of trusted certificate authorities in PEM for the token server, in place of the system's.
        type: path
      timeout:
        description: Seconds to wait for the token server.
        type: float
        default: 30.0
"""

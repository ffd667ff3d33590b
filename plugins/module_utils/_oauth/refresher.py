# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The refresher: fetches a token of one upstream when half of the life of the present one is over.

A timer starts it every few minutes, and the bridge when it has no token to log in with. Its request, with the secret,
is a credential of systemd, which no other process can read.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
import typing as t
from dataclasses import dataclass, field, replace

from .._evidence.document import moment
from .._sasl.jwt import ClientCertificate
from .._sasl.oauth import AccessToken, BadTokenAnswer, OAuthError, TokenClient
from .._smtp.tls import TlsPolicy, UnusableFile, check_files
from .expiry import End, end_of
from .fetch import fetch_token
from .request import token_client
from .store import STATE_DIRECTORY, State, StoredToken, check_name

#: A token is replaced at the latest when so many seconds of its life are left.
_LEAST = 900
#: Seconds of life of a token whose server does not say it (RFC 6749 section 5.1 recommends to say it).
_USUAL = 3600
#: A longer life is not believed; the token is replaced at half of this.
_LONGEST = 86_400
#: Seconds for the whole answer of the server.
_TOTAL = 120.0
#: A token that was refused is replaced unless it is younger than this; the reason is then not the token.
_YOUNG = 300
#: Octets of a request; keys and certificates have a few thousand.
_MAX_REQUEST = 1_048_576

Log = t.Callable[[str], None]


class BadRequest(ValueError):
    """The request cannot be used; the text is a sentence without secrets."""


@dataclass(frozen=True)
class Request:
    """What to fetch, and where to keep it.

    :param configured: digest of the configured refresh token; empty without one.
    :param end: when the secret expires; None if it is not known.
    """

    name: str
    state: State
    client: TokenClient = field(repr=False)
    ca_file: str | None
    timeout: float
    end: End | None
    configured: str

    @classmethod
    def read(cls, name: str, text: bytes) -> Request:
        """Read the request in JSON.

        :raises BadRequest: it cannot be used.
        """
        try:
            facts = json.loads(text)
            form = facts["oauth"]
            folder, named, user, expires = facts["state_directory"], facts["name"], facts["username"], facts["expires"]
        except (ValueError, KeyError, TypeError, RecursionError):
            raise BadRequest("the request is not what the role writes; run the role again") from None
        if named != name or not isinstance(form, dict) or not isinstance(folder, str):
            raise BadRequest(f"the request is not that of {name}; run the role again")
        try:
            client = token_client(form, user)
            timeout = float(form.get("timeout") or 30.0)
            signer = client.signer
            end = end_of(expires or "", signer.expires[:10] if isinstance(signer, ClientCertificate) else "")
        except (ValueError, TypeError) as error:
            raise BadRequest(str(error)) from None
        digest = hashlib.sha256(client.refresh_token.encode()).hexdigest() if client.refresh_token else ""
        return cls(name, State(folder, name), client, form.get("ca_file"), timeout, end, digest)

    @classmethod
    def of_credential(cls, name: str) -> Request:
        """Read the request that systemd gave this process.

        :raises BadRequest: there is none, or it cannot be used.
        """
        folder = os.environ.get("CREDENTIALS_DIRECTORY")
        if not folder:
            raise BadRequest(
                "systemd gave no credential; start the refresher as its systemd unit, as with systemctl start"
            )
        try:
            with open(os.path.join(folder, "request"), "rb") as stream:
                return cls.read(name, stream.read(_MAX_REQUEST))
        except OSError as error:
            raise BadRequest(f"the credential request cannot be read: {error.strerror}") from None


def refresh(name: str, log: Log, force: bool = False) -> bool:
    """Fetch a token if it is time, and say in one line what was done.

    :param force: whether to fetch one in any case.
    :returns: whether there is a token that is fresh.
    """
    try:
        request = Request.of_credential(check_name(name))
    except BadRequest as error:
        State(STATE_DIRECTORY, name).take_wish()  # or systemd would start this program for it again and again
        log(f"{name}: failed: {error}")
        return False
    except ValueError as error:
        log(f"{name}: failed: {error}")
        return False
    if request.end and request.end.soon:
        log(f"{name}: warning: the {request.end.what} {request.end}; make a new one at the provider, and run the role")
    wanted = request.state.take_wish()
    present = request.state.token()
    now = time.time()
    kept = "" if force or present is None else _reason_to_keep(present, wanted, now)
    if kept:
        log(f"{name}: kept: {kept}")
        return True
    try:
        token = _renew(request, log)
    except (OAuthError, UnusableFile, OSError) as error:
        words = f"{error.filename} was not written: {error.strerror}" if isinstance(error, OSError) else str(error)
        log(f"{name}: failed: {words}; {_of_present(present, now)}")
        return False
    log(f"{name}: refreshed: {_left(token, time.time())}")
    return True


def _reason_to_keep(present: StoredToken, wanted: bool, now: float) -> str:
    """Return why the present token is kept; empty if it is time for another."""
    age, left = now - present.obtained_at, present.expires_at - now
    life = present.expires_at - present.obtained_at
    if age < 0 or age >= life / 2 or left < _LEAST:
        return ""
    if wanted:
        return "" if age >= _YOUNG else f"the token is only {age:.0f} s old, so that another would not help"
    return _left(present, now)


def _renew(request: Request, log: Log) -> StoredToken:
    """Fetch a token and keep it; first of all the refresh token, which the server may have exchanged.

    :raises OAuthError: no token was obtained.
    :raises UnusableFile: the authorities cannot be read.
    :raises OSError: it was not written.
    """
    check_files(TlsPolicy(ca_file=request.ca_file), "oauth.ca_file")
    client = request.client
    if request.configured:
        client = replace(client, refresh_token=request.state.renewed(request.configured) or client.refresh_token)
    began = time.time()
    granted = fetch_token(client, request.ca_file, request.timeout, _TOTAL)
    if request.configured and granted.refresh_token and granted.refresh_token != client.refresh_token:
        request.state.keep_renewed(granted.refresh_token, request.configured)
        log(f"{request.name}: the server sent a new refresh token, which is used from now on")
    token = _stored(granted, began)
    if not token.usable(time.time()):
        raise BadTokenAnswer(
            f"the token server {client.host} granted a token that is valid for {token.expires_at - began:.0f} s, too"
            " short to log in with; expected some minutes"
        )
    request.state.keep_token(token)
    return token


def _stored(granted: AccessToken, began: float) -> StoredToken:
    life = _USUAL if granted.expires_in is None else min(granted.expires_in, _LONGEST)
    return StoredToken(granted.token, began, began + life)


def _left(token: StoredToken, now: float) -> str:
    minutes = max(0.0, token.expires_at - now) / 60
    return f"the token is valid for {minutes:.0f} min, until {moment(token.expires_at)}"


def _of_present(present: StoredToken | None, now: float) -> str:
    if present is None or not present.usable(now):
        return "no token is valid, so mail waits in the queue"
    return f"the present one is kept: {_left(present, now)}"
